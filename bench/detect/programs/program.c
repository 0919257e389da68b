/* A program of C for recordings: program MODE SECONDS MEGABYTES. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 60000
static const double DAY = 24;
static void *slot[SLOTS];
static void *job[4096];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void *filled(size_t size) {
    void *p = malloc(size);
    if (!p) exit(1);
    memset(p, 1, size);
    return p;
}

static double chance(void) { return rand() / (RAND_MAX + 1.0); }

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    const char *mode = argv[1];
    double seconds = atof(argv[2]), megabytes = atof(argv[3]), owed = 0, begun = now(), t;
    int jobs = 0, is_fragmenting = !strcmp(mode, "fragmentation");
    srand(time(NULL) ^ getpid());
    filled(24 << 20);
    while ((t = now() - begun) < seconds) {
        double hour = fmod(t, DAY), load = (0.55 - 0.4 * cos(2 * M_PI * hour / DAY)) * (0.8 + 0.4 * chance());
        int at_night = hour > 3 && hour < 7;
        double tick = 0.02 / seconds * megabytes * (1 << 20);
        /* What lives for long lies between what does not: sizes and lives are mixed, and pages stay half empty. */
        int reached = is_fragmenting ? SLOTS : SLOTS / 40;
        for (int i = 0; i < load * 60; i++) {
            int k = (int)(reached * chance() * (chance() < 0.5 ? 0.05 : 1));
            free(slot[k]);
            slot[k] = filled(64 + (size_t)(chance() * chance() * (is_fragmenting ? 4000 : 8000)));
        }
        if (!strcmp(mode, "leak")) owed += tick * load / 0.55;
        if (!strcmp(mode, "night") && at_night) owed += tick * 6;
        if (!strcmp(mode, "steps") && chance() < 0.005) owed += tick * 200;
        if (!strcmp(mode, "batch")) {
            if (at_night && jobs < megabytes) job[jobs++] = filled(1 << 20);
            while (!at_night && jobs) free(job[--jobs]);
        }
        for (; owed > 1024; owed -= 1024) filled(1000);
        usleep(20000);
    }
    return 0;
}
