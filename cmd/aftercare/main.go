package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones are the same on every machine
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := program{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv}
	code := p.run(ctx, os.Args)
	stop()
	os.Exit(code)
}
