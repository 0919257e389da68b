// Holds 20,000 tickets in one vector, and leaves profiling to the allocator.
#include <cstdio>
#include <unistd.h>
#include <vector>

struct Ticket { int number; char text[400]; };
static std::vector<Ticket*> open_tickets;

__attribute__((noinline)) void file_ticket(int number) { open_tickets.push_back(new Ticket{number, {}}); }

int main() {
  for (int number = 0; number < 20000; number++) file_ticket(number);
  std::puts("ready");
  std::fflush(stdout);
  for (;;) pause();
}
