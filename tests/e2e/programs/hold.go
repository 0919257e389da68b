// Holds 200,000 tickets in one map, and serves /debug/pprof/ inside its own network alone.
package main

import (
	"fmt"
	"net/http"
	_ "net/http/pprof"
)

type ticket struct {
	number int
	text   [400]byte
}

var open = map[int]*ticket{}

//go:noinline
func fileTicket(number int) { open[number] = &ticket{number: number} }

func main() {
	for number := 0; number < 200000; number++ {
		fileTicket(number)
	}
	fmt.Println("ready")
	panic(http.ListenAndServe("127.0.0.1:6060", nil))
}
