// Allocates by as many distinct stacks as asked for, and keeps it all: stacks COUNT. An allocator's profiler looks on.
#include <cstdlib>

static void step(int n, int depth);

#define FUNCTION(name) \
  __attribute__((noinline)) static void name(int n, int depth) { \
    step(n, depth); \
    asm volatile(""); \
  }
FUNCTION(a)
FUNCTION(b)
FUNCTION(c)
FUNCTION(d)
FUNCTION(e)
FUNCTION(f)
FUNCTION(g)
FUNCTION(h)

static size_t size;

__attribute__((noinline)) static void allocate() {
  void* kept = malloc(size);
  asm volatile("" ::"r"(kept));  // Or the compiler leaves the allocation out.
}

// Each digit of n, to the base of 8, chooses the next call; what follows is the same for all.
__attribute__((noinline)) static void step(int n, int depth) {
  static void (*const next[8])(int, int) = {a, b, c, d, e, f, g, h};
  if (depth == 0)
    allocate();
  else
    next[n % 8](n / 8, depth - 1);
  asm volatile("");
}

int main(int, char** arguments) {
  int count = atoi(arguments[1]);
  for (int n = 0; n < count; n++) {
    size = 16 + n % 7 * 64;
    step(n, 8);
  }
}
