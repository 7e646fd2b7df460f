package main

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// summary is what is printed. Latencies are in milliseconds.
type summary struct {
	Seconds  float64          `json:"seconds"`
	Offered  int              `json:"offered"`
	Statuses map[string]group `json:"statuses"`
	Errors   map[string]int   `json:"errors"`
}

type group struct {
	Count int     `json:"count"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Most  float64 `json:"max"`
}

// window is the time whose answers are counted. Where a number of them is wanted it begins with an answer and
// ends with one: answers come in batches, and half of one is some percent of a short measurement.
type window struct{ from, until time.Time }

func windowOf(outcomes []outcome, began time.Time, chosen options) window {
	from := began.Add(chosen.warmUp)
	until := from.Add(chosen.duration)
	if chosen.answers == 0 {
		return window{from, until}
	}
	first, last, after := from, until, 0
	slices.SortFunc(outcomes, func(one, other outcome) int { return one.ended.Compare(other.ended) })
	for _, one := range outcomes {
		switch {
		case one.errorText != "":
		case !one.ended.After(from):
			first = one.ended
		default:
			if after++; after == chosen.answers {
				last = one.ended
			}
		}
	}
	return window{first, last}
}

// summarise counts what was answered in the window; in an open loop, what was due in it.
func summarise(outcomes []outcome, began time.Time, chosen options) summary {
	counted := windowOf(outcomes, began, chosen)
	from, until := counted.from, counted.until
	result := summary{
		Seconds:  until.Sub(from).Seconds(),
		Statuses: map[string]group{},
		Errors:   map[string]int{},
	}
	latencies := map[int][]float64{}
	for _, one := range outcomes {
		at := one.ended
		if chosen.rate > 0 {
			at = one.began
		}
		if !at.After(from) || (chosen.count == 0 && at.After(until)) {
			continue
		}
		switch {
		case one.errorText == errCutShort.Error():
		case one.errorText != "":
			result.Offered++
			result.Errors[one.errorText]++
		default:
			result.Offered++
			latencies[one.status] = append(latencies[one.status], float64(one.ended.Sub(one.began).Microseconds())/1000)
		}
	}
	for status, values := range latencies {
		result.Statuses[strconv.Itoa(status)] = describe(values)
	}
	return result
}

func describe(values []float64) group {
	slices.Sort(values)
	total := 0.0
	for _, value := range values {
		total += value
	}
	return group{
		Count: len(values),
		Mean:  total / float64(len(values)),
		P50:   share(values, 0.5),
		P99:   share(values, 0.99),
		Most:  values[len(values)-1],
	}
}

func share(sorted []float64, part float64) float64 {
	return sorted[int(math.Ceil(part*float64(len(sorted))))-1]
}
