"""`manage.py memory_probe`: what the workers of this user's servers on this machine hold, and which views grow."""

from django.core.management.base import BaseCommand, CommandError

from caulk_probe import cells, exposition, families, slots
from caulk_probe.django.lookup import found
from caulk_probe.settings import Invalid, Settings

_MB = 1 << 20


class Command(BaseCommand):
    """Reads the workers' files: it needs no server that answers, and no password."""

    help = __doc__
    requires_system_checks = ()  # it says itself what is wrong with its settings

    def add_arguments(self, parser):
        """The options."""
        parser.add_argument("--metrics", action="store_true", help="print the metrics, as a scrape would give them")

    def handle(self, **options):
        """Prints."""
        try:
            settings = Settings(found)
        except Invalid as error:
            raise CommandError(str(error)) from None
        if not settings.is_profiling:
            self.stdout.write("Profiling is off (ENABLE_MEMORY_PROFILING): nothing is measured.")
        for fault in settings.faults():
            self.stdout.write(self.style.WARNING(fault))
        servers = [settings.directory] if settings.directory else slots.servers()
        known = [(each, list(slots.every(each))) for each in servers]
        known = [(each, some) for each, some in known if any(lives for _, lives, _ in some)]
        if not known:
            self.stdout.write("No worker runs that has answered a request since it began.")
        for directory, some in known:
            if options["metrics"]:
                self.stdout.write("\n".join(exposition.samples(some, settings.container)))
            else:
                self.table(directory, some)

    def table(self, directory, some):
        """One server."""
        self.stdout.write("{}\n{:>6} {:>8} {:>10} {:>10} {:>9} {:>7} {:>7}".format(
            directory, "worker", "process", "resident", "anonymous", "requests", "events", "starts"
        ))  # fmt: skip
        for number, lives, data in some:
            if lives:
                self.row(number, data)
        growing = {view: size for view, size in exposition.growth(some).items() if size}
        for view, size in sorted(growing.items(), key=lambda each: -each[1]):
            self.stdout.write("{} grows by {:,.0f} bytes with each request".format(view, size))
        if not growing:
            self.stdout.write("No view is seen to grow.")

    def row(self, number, data):
        """One worker."""
        sums = {}
        memory = {}
        for family, key, _, numbers in cells.records(data):
            sums[family] = sums.get(family, 0.0) + numbers[0]
            if family == families.MEMORY.number:
                memory[key] = numbers[0]
        self.stdout.write("{:>6} {:>8} {:>7,.0f} MB {:>7,.0f} MB {:>9,.0f} {:>7,.0f} {:>7,.0f}".format(
            number, cells.header(data)[0], memory.get("rss", 0) / _MB, memory.get("anonymous", 0) / _MB,
            sums.get(families.REQUESTS.number, 0), sums.get(families.GROWTH_EVENTS.number, 0),
            sums.get(families.STARTS.number, 0),
        ))  # fmt: skip
