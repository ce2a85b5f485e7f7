package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
)

// dial starts calls to the numbers of a series, or to those that are named, at a
// steady rate.
func dial(ctx context.Context, args []string) error {
	var a api
	f := a.flags("dial")
	flowID := f.String("flow", "", "`id` of the flow")
	from := f.String("from", "", "the instance's `number`")
	rate := f.Float64("rate", 20, "`calls` a second")
	ring := f.Int("ring", 15, "how many `seconds` to let it ring, 15 to 60")
	prefix := f.String("prefix", "", "`beginning` of the numbers of a series")
	count := f.Int("count", 0, "`length` of the series")
	a.parse(f, args)
	numbers := f.Args()
	for n := range *count {
		numbers = append(numbers, customer(*prefix, n))
	}
	began := time.Now()
	tick := time.NewTicker(time.Duration(float64(time.Second) / *rate))
	defer tick.Stop()
	var calls sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	for _, number := range numbers {
		calls.Go(func() {
			err := a.call(ctx, *flowID, *from, number, *ring)
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, fmt.Errorf("call to %s: %w", number, err))
			}
		})
		select {
		case <-tick.C:
		case <-ctx.Done():
			calls.Wait()
			return ctx.Err()
		}
	}
	calls.Wait()
	if len(failed) > 0 {
		return errors.Join(failed[:min(3, len(failed))]...)
	}
	fmt.Printf("  ok  %d calls started in %.1f s\n", len(numbers), time.Since(began).Seconds())
	return nil
}

// call starts a call to a number.
func (a *api) call(ctx context.Context, flowID, from, to string, ring int) error {
	_, err := a.client.StartOutboundVoiceContact(ctx, &connect.StartOutboundVoiceContactInput{
		InstanceId: &a.instance, ContactFlowId: &flowID, DestinationPhoneNumber: &to, SourcePhoneNumber: &from,
		RingTimeoutInSeconds: aws.Int32(int32(ring)),
	})
	return err
}
