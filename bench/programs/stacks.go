// Writes a heap profile with as many distinct stacks as asked for: stacks OUT COUNT.
package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
)

var keep [][]byte

//go:noinline
func allocate(n int) { keep = append(keep, make([]byte, 16+n%7*64)) }

// Each digit of n, to the base of 8, chooses the next call; what follows is the same for all.
func step(n, depth int) {
	if depth == 0 {
		allocate(n)
		return
	}
	next := [8]func(int, int){a, b, c, d, e, f, g, h}
	next[n%8](n/8, depth-1)
}

//go:noinline
func a(n, depth int) { step(n, depth) }

//go:noinline
func b(n, depth int) { step(n, depth) }

//go:noinline
func c(n, depth int) { step(n, depth) }

//go:noinline
func d(n, depth int) { step(n, depth) }

//go:noinline
func e(n, depth int) { step(n, depth) }

//go:noinline
func f(n, depth int) { step(n, depth) }

//go:noinline
func g(n, depth int) { step(n, depth) }

//go:noinline
func h(n, depth int) { step(n, depth) }

func main() {
	runtime.MemProfileRate = 1
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	for n := 0; n < count; n++ {
		step(n, 12)
	}
	runtime.GC()
	out, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	defer out.Close()
	if err := pprof.Lookup("heap").WriteTo(out, 0); err != nil {
		panic(err)
	}
}
