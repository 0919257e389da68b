import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A small order book with one leak: a ticket is opened for every order, and no ticket is ever closed.
 *
 * <p>Beside it, and healthy: instruments loaded at the start (large, constant), a cache of quotes (bounded), and the
 * garbage of every order.
 */
public class Orders {
    static final String DUMPS = System.getenv("DEMO_DUMPS");
    static final int ORDERS_PER_TICK = 250;
    static final int CACHED_QUOTES = 1000;

    static final Map<Long, Ticket> OPEN = new ConcurrentHashMap<>();
    static final long[][] INSTRUMENTS = new long[4000][256];
    static final Map<Long, Quote> QUOTES =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<Long, Quote> eldest) {
                    return size() > CACHED_QUOTES;
                }
            };

    record Quote(double bid, double ask, long[] depth) {}

    static class Ticket {
        final long number;
        final double price;
        final String note;
        long quantity, filled, cancelled, opened, changed, expires, client, account, desk, venue;

        Ticket(long number, double price) {
            this.number = number;
            this.price = price;
            this.note = "ticket of order " + number;
        }
    }

    static Quote quote(long symbol) {
        return QUOTES.computeIfAbsent(symbol, s -> new Quote(s * 1.01, s * 1.02, new long[64]));
    }

    static void openTicket(long number, double price) {
        OPEN.put(number, new Ticket(number, price));
    }

    static void placeOrder(long number) {
        Quote quote = quote(number % 50_000);
        openTicket(number, (quote.bid() + quote.ask()) / 2);
    }

    static String handleRequest(long number) {
        placeOrder(number);
        return "placed " + number + " on " + INSTRUMENTS[(int) (number % INSTRUMENTS.length)][0];
    }

    /** Writes all that is held here, when the demo asks for it. */
    static void dump(String name) throws IOException {
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .dumpHeap(DUMPS + "/" + name + ".hprof", true);
    }

    /** It counts its work, not the time: on a busy machine it runs for longer, and leaks as much. */
    static long serve(int ticks) throws InterruptedException, IOException {
        long number = 0;
        for (int tick = 0; tick < ticks; tick++) {
            if (DUMPS != null && tick == ticks * 3 / 10) {
                dump("early");
            }
            if (DUMPS != null && tick == ticks * 7 / 10) {
                dump("late");
            }
            for (int n = 0; n < ORDERS_PER_TICK; n++) {
                handleRequest(number++);
            }
            Thread.sleep(10);
        }
        return number;
    }

    public static void main(String[] args) throws InterruptedException, IOException {
        String seconds = System.getenv().getOrDefault("DEMO_SECONDS", "10");
        System.out.printf("Orders.java: %,d orders served%n", serve((int) (80 * Double.parseDouble(seconds))));
    }
}
