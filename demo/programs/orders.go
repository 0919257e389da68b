// A small order service with one leak: every order opens a price feed, and a feed that nobody closes waits forever.
//
// Beside it, and healthy: instruments loaded at the start (large, constant), a cache of quotes (bounded), and a fixed
// number of workers. Profiles are served as net/http/pprof does, on 127.0.0.1:$PPROF_PORT.
package main

import (
	"bytes"
	"fmt"
	"net/http"
	_ "net/http/pprof"
	"os"
	"strconv"
	"time"
)

const (
	ordersPerTick = 1
	cachedQuotes  = 500
	feedBuffer    = 64 << 10
)

var (
	instruments = loadInstruments()
	quotes      = map[string][]float64{}
	jobs        = make(chan int)
)

func loadInstruments() map[string][]byte {
	all := map[string][]byte{}
	for n := 0; n < 5000; n++ {
		all[fmt.Sprintf("INS%d", n)] = make([]byte, 2048)
	}
	return all
}

func quote(symbol string) float64 {
	prices, known := quotes[symbol]
	if !known {
		if len(quotes) >= cachedQuotes {
			for oldest := range quotes {
				delete(quotes, oldest)
				break
			}
		}
		prices = make([]float64, 512)
		quotes[symbol] = prices
	}
	return prices[0]
}

// pollFeed reads prices into the buffer until the feed is closed.
func pollFeed(prices <-chan byte, buffer []byte) {
	for price := range prices {
		buffer[int(price)%len(buffer)] = price
	}
}

func openFeed(first byte) chan<- byte {
	prices := make(chan byte, 1)
	buffer := bytes.Repeat([]byte{first}, feedBuffer)
	go pollFeed(prices, buffer)
	prices <- first
	return prices
}

func placeOrder(number int) {
	symbol := fmt.Sprintf("INS%d", number%len(instruments))
	feed := openFeed(byte(quote(symbol)))
	_ = feed // close(feed) is what is missing
}

func handleRequest(number int) {
	placeOrder(number)
	jobs <- number
}

func work() {
	for range jobs {
		time.Sleep(time.Millisecond)
	}
}

// It counts its work, not the time: on a busy machine it runs for longer, and leaks as much.
func serve(ticks int) int {
	number := 0
	for tick := 0; tick < ticks; tick++ {
		for n := 0; n < ordersPerTick; n++ {
			handleRequest(number)
			number++
		}
		time.Sleep(15 * time.Millisecond)
	}
	return number
}

func main() {
	seconds, err := strconv.ParseFloat(os.Getenv("DEMO_SECONDS"), 64)
	if err != nil {
		seconds = 10
	}
	go func() { fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Getenv("PPROF_PORT"), nil)) }()
	for n := 0; n < 4; n++ {
		go work()
	}
	fmt.Printf("orders.go: %d orders served\n", serve(int(50*seconds)))
}
