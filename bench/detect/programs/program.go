// A program of Go for recordings: program MODE SECONDS MEGABYTES; says the bytes of its heap each 100 ms.
package main

import (
	"fmt"
	"math"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

const day = 24.0

var kept [][]byte
var cache = map[int][]byte{}
var job [][]byte
var sink []byte

func block(size int) []byte {
	b := make([]byte, size)
	for i := 0; i < size; i += 512 {
		b[i] = byte(i)
	}
	return b
}

func main() {
	mode := os.Args[1]
	seconds, _ := strconv.ParseFloat(os.Args[2], 64)
	megabytes, _ := strconv.ParseFloat(os.Args[3], 64)
	for i := 0; i < 24; i++ {
		kept = append(kept, block(1<<20))
	}
	begun, said, owed := time.Now(), time.Now(), 0.0
	var stats runtime.MemStats
	for {
		t := time.Since(begun).Seconds()
		if t >= seconds {
			return
		}
		hour := math.Mod(t, day)
		load := (0.55 - 0.4*math.Cos(2*math.Pi*hour/day)) * (0.8 + 0.4*rand.Float64())
		for i := 0; i < int(load*30); i++ {
			sink = block(1024 + rand.Intn(16*1024))
		}
		atNight := hour > 3 && hour < 7
		tick := 0.02 / seconds * megabytes * (1 << 20)
		switch mode {
		case "leak":
			owed += tick * load / 0.55
		case "night":
			if atNight {
				owed += tick * 6
			}
		case "mmap":
			owed += tick * load / 0.55
		case "cache":
			for i := 0; i < int(load*12); i++ {
				if key := rand.Intn(int(megabytes) * 64); cache[key] == nil {
					cache[key] = block(16 * 1024)
				}
			}
		case "batch":
			if atNight && len(job) < int(megabytes) {
				job = append(job, block(1<<20))
			} else if !atNight {
				job = nil
			}
		}
		for owed > 8192 {
			owed -= 8192
			if mode == "mmap" {
				if b, err := syscall.Mmap(-1, 0, 8192, 3, syscall.MAP_ANON|syscall.MAP_PRIVATE); err == nil {
					b[0], b[4096] = 1, 1
				}
			} else {
				kept = append(kept, block(8192))
			}
		}
		if time.Since(said) > 100*time.Millisecond {
			runtime.ReadMemStats(&stats)
			fmt.Println(stats.HeapAlloc)
			said = time.Now()
		}
		time.Sleep(20 * time.Millisecond)
	}
}
