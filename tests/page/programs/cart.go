// A shop that keeps every session for ever: cart OUT writes a heap profile each thousand requests, and its goroutines.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

type session struct {
	id    string
	items [][]byte
}

var sessions = map[int]*session{}

//go:noinline
func putSession(number int) {
	s := &session{id: fmt.Sprintf("session-%d", number)}
	for line := 0; line < 8; line++ {
		s.items = append(s.items, make([]byte, 512))
	}
	sessions[number] = s
}

//go:noinline
func handle(number int, done chan struct{}) {
	putSession(number)
	if number%50 == 0 {
		go wait(done)
	}
}

//go:noinline
func wait(done chan struct{}) { <-done }

func write(kind, path string) {
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if err := pprof.Lookup(kind).WriteTo(file, 0); err != nil {
		panic(err)
	}
}

func main() {
	runtime.MemProfileRate = 4096
	done := make(chan struct{})
	for part := 1; part <= 3; part++ {
		for request := 0; request < 1000; request++ {
			handle(part*1000+request, done)
		}
		runtime.GC()
		write("heap", fmt.Sprintf("%s/go.%d.pb.gz", os.Args[1], part))
	}
	write("goroutine", os.Args[1]+"/go.goroutine.pb.gz")
}
