// A grpc-go client: it opens a watch and makes calls as fast as it can on the same connection, then
// makes one call whose request is refused, and prints what it has seen as JSON.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

const callers = 8

// What gRPC's C core and grpc-java take of metadata, by default.
const maxHeaderListBytes = 8192

// Messages are bytes here: the test encodes and decodes them.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte{}, data...)
	return nil
}
func (bytesCodec) Name() string { return "proto" }

// Counts connections.
type connections struct{ count atomic.Int64 }

func (*connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*connections) HandleRPC(context.Context, stats.RPCStats)                         {}
func (*connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (c *connections) HandleConn(_ context.Context, s stats.ConnStats) {
	if _, ok := s.(*stats.ConnBegin); ok {
		c.count.Add(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Arguments: the address, the number of calls, the payload of each call, and the request to be refused, both
// in base64.
func main() {
	count, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		fail(err)
	}
	payload, err := base64.StdEncoding.DecodeString(os.Args[3])
	if err != nil {
		fail(err)
	}
	refused, err := base64.StdEncoding.DecodeString(os.Args[4])
	if err != nil {
		fail(err)
	}
	seen := &connections{}
	conn, err := grpc.NewClient(os.Args[1],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(bytesCodec{})),
		grpc.WithMaxHeaderListSize(maxHeaderListBytes),
		grpc.WithStatsHandler(seen))
	if err != nil {
		fail(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watch, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/mpc.v1.EventService/WatchEvents")
	if err != nil {
		fail(err)
	}
	empty := []byte{}
	if err := watch.SendMsg(&empty); err != nil {
		fail(err)
	}
	if err := watch.CloseSend(); err != nil {
		fail(err)
	}
	if _, err := watch.Header(); err != nil {
		fail(err)
	}
	watchEnded := make(chan error, 1)
	go func() {
		for {
			var event []byte
			if err := watch.RecvMsg(&event); err != nil {
				watchEnded <- err
				return
			}
		}
	}()
	var calls atomic.Int64
	var failures sync.Map
	var running sync.WaitGroup
	began := time.Now()
	for range callers {
		running.Add(1)
		go func() {
			defer running.Done()
			for calls.Add(1) <= count {
				var answer []byte
				if err := conn.Invoke(ctx, "/mpc.v1.DiagnosticsService/GetServerInfo", &payload, &answer); err != nil {
					failures.Store(err.Error(), true)
				}
			}
		}()
	}
	running.Wait()
	report := map[string]any{"watch": "open", "callsPerSecond": float64(count) / time.Since(began).Seconds()}
	var answer []byte
	err = conn.Invoke(ctx, "/mpc.v1.EnvironmentService/CreateEnvironment", &refused, &answer)
	report["refused"] = status.Code(err).String()
	report["details"] = len(status.Convert(err).Proto().GetDetails())
	select {
	case err := <-watchEnded:
		report["watch"] = err.Error()
	default:
	}
	failed := []string{}
	failures.Range(func(key, _ any) bool { failed = append(failed, key.(string)); return true })
	report["failures"] = failed
	report["connections"] = seen.count.Load()
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		fail(err)
	}
}
