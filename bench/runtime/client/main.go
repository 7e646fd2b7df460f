// A load generator for one server on loopback: closed loop, open loop or a burst, bounded by time and count.
//
// Requests are rendered before the clock starts and written as they are, so that on one core it costs
// little beside the server that it measures. It answers with one JSON object on standard output.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

type options struct {
	target      string
	bodies      string
	connections int
	count       int
	answers     int
	rate        float64
	warmUp      time.Duration
	duration    time.Duration
	timeout     time.Duration
}

func main() {
	chosen := parse()
	requests, address, err := render(chosen.target, chosen.bodies)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	load := &load{options: chosen, address: address, requests: requests}
	var outcomes []outcome
	began := time.Now()
	if chosen.rate > 0 {
		outcomes = load.open(began)
	} else {
		outcomes = load.closed(began)
	}
	json.NewEncoder(os.Stdout).Encode(summarise(outcomes, began, chosen))
}

func parse() options {
	var chosen options
	flag.StringVar(&chosen.target, "url", "", "where to POST to; loopback only")
	flag.StringVar(&chosen.bodies, "bodies", "", "a file with one JSON body a line, sent in turn")
	flag.IntVar(&chosen.connections, "connections", 1, "clients, or at a rate the most that are open at once")
	flag.IntVar(&chosen.count, "count", 0, "requests of each client; 0: until the time is up")
	flag.IntVar(&chosen.answers, "answers", 0, "end when so many came after the warm-up, if that is before the time is up; 0: no")
	flag.Float64Var(&chosen.rate, "rate", 0, "requests a second, whatever the answers; 0: each client waits for its answer")
	flag.DurationVar(&chosen.warmUp, "warm-up", 0, "how long answers are not counted")
	flag.DurationVar(&chosen.duration, "duration", time.Second, "how long they are counted after that")
	flag.DurationVar(&chosen.timeout, "timeout", 30*time.Second, "of one request")
	flag.Parse()
	return chosen
}

// render makes whole HTTP requests of the bodies.
func render(target, file string) ([][]byte, string, error) {
	place, err := url.Parse(target)
	if err != nil {
		return nil, "", err
	}
	if ip := net.ParseIP(place.Hostname()); ip == nil || !ip.IsLoopback() {
		return nil, "", fmt.Errorf("%s is not on loopback: this is for a server on this machine", target)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, "", err
	}
	var requests [][]byte
	for _, body := range bytes.Split(bytes.TrimSpace(content), []byte("\n")) {
		head := []string{
			"POST " + place.RequestURI() + " HTTP/1.1",
			"Host: " + place.Host,
			"Content-Type: application/json",
			"Accept: */*",
			fmt.Sprintf("Content-Length: %d", len(body)),
		}
		requests = append(requests, append([]byte(strings.Join(head, "\r\n")+"\r\n\r\n"), body...))
	}
	return requests, place.Host, nil
}
