// Tickets from many stacks, and goroutines that wait: MIB GOROUTINES. Says `ready`; then its slowest request,
// and the longest stop of the world as the runtime counts them.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime/metrics"
	"strconv"
	"sync/atomic"
	"time"
)

type ticket struct {
	name   string
	number int
	before *ticket
}

var kept = map[string]*ticket{}
var last *ticket
var longest atomic.Int64

//go:noinline
func sell(depth, number int) {
	if depth > 0 {
		sell(depth-1, number)
		return
	}
	last = &ticket{fmt.Sprint("ticket ", number), number, last}
	kept[last.name] = last
}

func wait(depth int, over chan int) {
	if depth > 0 {
		wait(depth-1, over)
		return
	}
	<-over
}

func ask(address string) {
	before := time.Now()
	for {
		if answer, err := http.Get("http://" + address + "/"); err == nil {
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
		now := time.Now()
		longest.Store(max(longest.Load(), int64(now.Sub(before))))
		before = now
		time.Sleep(2 * time.Millisecond)
	}
}

// The longest stop since the last call, rounded up to the runtime's own steps.
var stops = []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}, {Name: "/sched/pauses/total/other:seconds"}}
var counted = map[string][]uint64{}

func stopped() (seconds float64) {
	metrics.Read(stops)
	for _, sample := range stops {
		found, before := sample.Value.Float64Histogram(), counted[sample.Name]
		for i, count := range found.Counts {
			if before == nil || count > before[i] {
				seconds = max(seconds, min(found.Buckets[i+1], 1000)*float64(min(count, 1)))
			}
		}
		counted[sample.Name] = append([]uint64{}, found.Counts...)
	}
	return seconds
}

func main() {
	size, _ := strconv.Atoi(os.Args[1])
	waiting, _ := strconv.Atoi(os.Args[2])
	for i := 0; i < size<<20/150; i++ {
		sell(i%50, i)
	}
	for i := 0; i < waiting; i++ {
		go wait(i%20, make(chan int))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, nil)
	go ask(listener.Addr().String())
	fmt.Println("ready")
	asked := bufio.NewScanner(os.Stdin)
	for asked.Scan() {
		fmt.Println(time.Duration(longest.Swap(0)).Seconds(), stopped())
	}
}
