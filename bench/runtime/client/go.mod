module slipway.dev/bench/client

go 1.26
