package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// outcome is how one request ended; status 0 is a connection that failed or an answer that did not come.
type outcome struct {
	status    int
	began     time.Time
	ended     time.Time
	errorText string
}

type load struct {
	options
	address  string
	requests [][]byte
	next     atomic.Int64
}

// closed has each client send its next request when it has its answer, until the time is up or, where so
// many are wanted, the answers after the warm-up are complete: nobody waits for the others then.
func (load *load) closed(began time.Time) []outcome {
	end := began.Add(load.warmUp + load.duration)
	counted := &tally{from: began.Add(load.warmUp), wanted: load.answers, complete: make(chan struct{})}
	var clients sync.WaitGroup
	for range load.connections {
		clients.Go(func() {
			line := &line{load: load}
			defer line.close()
			for sent := 0; time.Now().Before(end) && (load.count == 0 || sent < load.count); sent++ {
				counted.add(line.ask(time.Now(), deadline(end, load)))
			}
		})
	}
	go func() { clients.Wait(); counted.end() }()
	<-counted.complete
	return counted.all()
}

// tally has the outcomes of all clients, and ends when those that are wanted have come.
type tally struct {
	from     time.Time
	wanted   int
	complete chan struct{}
	mutex    sync.Mutex
	found    []outcome
	answered int
	ended    sync.Once
}

func (tally *tally) add(got outcome) {
	tally.mutex.Lock()
	defer tally.mutex.Unlock()
	tally.found = append(tally.found, got)
	if got.errorText == "" && got.ended.After(tally.from) {
		tally.answered++
	}
	if tally.wanted > 0 && tally.answered == tally.wanted {
		tally.end()
	}
}

func (tally *tally) end() {
	tally.ended.Do(func() { close(tally.complete) })
}

func (tally *tally) all() []outcome {
	tally.mutex.Lock()
	defer tally.mutex.Unlock()
	return slices.Clone(tally.found)
}

// open sends at a rate, on the connection that was idle last or on a new one. One that would be beyond
// the most connections has no outcome but a failure: the rate was more than could be offered.
func (load *load) open(began time.Time) []outcome {
	end := began.Add(load.warmUp + load.duration)
	var mutex sync.Mutex
	var found []outcome
	var asked sync.WaitGroup
	lines := &pool{load: load}
	defer lines.close()
	gap := time.Duration(float64(time.Second) / load.rate)
	for due := began; due.Before(end); due = due.Add(gap) {
		time.Sleep(time.Until(due))
		line := lines.take()
		if line == nil {
			mutex.Lock()
			found = append(found, outcome{began: due, ended: due, errorText: "no connection was free"})
			mutex.Unlock()
			continue
		}
		asked.Go(func() {
			got := line.ask(due, due.Add(load.timeout))
			lines.give(line)
			mutex.Lock()
			found = append(found, got)
			mutex.Unlock()
		})
	}
	asked.Wait()
	return found
}

// pool has the connections of an open loop.
type pool struct {
	load  *load
	mutex sync.Mutex
	idle  []*line
	made  int
}

// longestIdle is for how long clients usually keep a connection that they do not use: servers close one, too.
const longestIdle = 60 * time.Second

// take returns nil when all that there may be are in use.
func (pool *pool) take() *line {
	pool.mutex.Lock()
	defer pool.mutex.Unlock()
	if last := len(pool.idle) - 1; last >= 0 {
		line := pool.idle[last]
		pool.idle = pool.idle[:last]
		if time.Since(line.idleSince) > longestIdle {
			line.close()
		}
		return line
	}
	if pool.made == pool.load.connections {
		return nil
	}
	pool.made++
	return &line{load: pool.load}
}

func (pool *pool) give(line *line) {
	pool.mutex.Lock()
	defer pool.mutex.Unlock()
	line.idleSince = time.Now()
	pool.idle = append(pool.idle, line)
}

func (pool *pool) close() {
	for _, line := range pool.idle {
		line.close()
	}
}

// deadline ends a closed loop on time: what is not answered by then is not counted, nor waited for.
func deadline(end time.Time, load *load) time.Time {
	if load.count > 0 {
		return time.Now().Add(load.timeout)
	}
	return end
}

// line is one client's connection, made anew when the server has closed it.
type line struct {
	load       *load
	connection net.Conn
	reader     *bufio.Reader
	idleSince  time.Time
}

var errCutShort = errors.New("not answered before the end")

func (line *line) ask(began, deadline time.Time) outcome {
	status, err := line.exchange(deadline)
	got := outcome{status: status, began: began, ended: time.Now()}
	if err != nil {
		line.close()
		got.status, got.errorText = 0, err.Error()
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() && line.load.rate == 0 && line.load.count == 0 {
			got.errorText = errCutShort.Error()
		}
	}
	return got
}

func (line *line) exchange(deadline time.Time) (int, error) {
	if err := line.connect(); err != nil {
		return 0, err
	}
	line.connection.SetDeadline(deadline)
	request := line.load.requests[int(line.load.next.Add(1)-1)%len(line.load.requests)]
	if _, err := line.connection.Write(request); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(line.reader, nil)
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0, err
	}
	if answer.Close {
		line.close()
	}
	return answer.StatusCode, nil
}

func (line *line) connect() error {
	if line.connection != nil {
		return nil
	}
	connection, err := net.DialTimeout("tcp", line.load.address, 5*time.Second)
	if err != nil {
		return err
	}
	line.connection, line.reader = connection, bufio.NewReader(connection)
	return nil
}

func (line *line) close() {
	if line.connection != nil {
		line.connection.Close()
		line.connection = nil
	}
}
