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

// summarise counts what was answered after the warm-up; in an open loop, what was due after it.
func summarise(outcomes []outcome, began time.Time, chosen options) summary {
	from, until := began.Add(chosen.warmUp), began.Add(chosen.warmUp+chosen.duration)
	result := summary{
		Seconds:  chosen.duration.Seconds(),
		Statuses: map[string]group{},
		Errors:   map[string]int{},
	}
	latencies := map[int][]float64{}
	for _, one := range outcomes {
		at := one.ended
		if chosen.rate > 0 {
			at = one.began
		}
		if at.Before(from) || (chosen.count == 0 && at.After(until)) {
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
