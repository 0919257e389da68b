// Tickets from many stacks: MIB. Says `ready`; then the longest gap of a thread that allocates all the time.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

struct Ticket { long number; Ticket* before; char name[240]; };
static Ticket* last;
static std::atomic<double> longest;

__attribute__((noinline)) void sell(int depth, long number) {
  if (depth > 0) { sell(depth - 1, number); asm volatile(""); return; }
  last = new Ticket{number, last, "ticket"};
}

static double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static void beat() {
  for (double before = now();;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    delete new Ticket();
    double after = now();
    longest = std::max(longest.load(), after - before);
    before = after;
  }
}

int main(int, char** words) {
  for (long i = 0; i < (std::atol(words[1]) << 20) / 256; i++) sell(i % 20, i);
  std::thread(beat).detach();
  std::puts("ready"); std::fflush(stdout);
  // A signal cuts a read short.
  for (int c; (c = std::getchar()) != EOF || !std::feof(stdin); std::clearerr(stdin)) {
    if (c == '\n') { std::printf("%f\n", longest.exchange(0)); std::fflush(stdout); }
  }
}
