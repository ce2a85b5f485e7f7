package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/audio"
)

// transfer has a number of the instance transfer whoever calls it to a telephone, and
// not wait for what comes of it.
func transfer(ctx context.Context, args []string) error {
	var a api
	f := a.flags("transfer")
	number := f.String("number", "", "`number` of the instance")
	to := f.String("to", "", "the `number` that callers are transferred to")
	a.parse(f, args)
	content, err := json.Marshal(document(action{
		"transfer", "TransferParticipantToThirdParty",
		map[string]any{"ThirdPartyPhoneNumber": *to, "ThirdPartyConnectionTimeLimitSeconds": "20", "ContinueFlowExecution": "False"},
		transitions{NextAction: "end", Errors: []failure{{"end", "NoMatchingError"}}},
	}))
	if err != nil {
		return err
	}
	flow, err := a.client.CreateContactFlow(ctx, &connect.CreateContactFlowInput{
		InstanceId: &a.instance, Name: aws.String("transfer"), Type: types.ContactFlowTypeContactFlow, Content: aws.String(string(content)),
	})
	if err != nil {
		return err
	}
	made, err := a.client.DescribeInstance(ctx, &connect.DescribeInstanceInput{InstanceId: &a.instance})
	if err != nil {
		return err
	}
	claimed, err := a.client.ClaimPhoneNumber(ctx, &connect.ClaimPhoneNumberInput{TargetArn: made.Instance.Arn, PhoneNumber: number})
	if err != nil {
		return err
	}
	_, err = a.client.AssociatePhoneNumberContactFlow(ctx, &connect.AssociatePhoneNumberContactFlowInput{
		InstanceId: &a.instance, PhoneNumberId: claimed.PhoneNumberId, ContactFlowId: flow.ContactFlowId,
	})
	return err
}

// tones looks for tones in a recording, one after the other.
func tones(_ context.Context, args []string) error {
	f := flag.NewFlagSet("tones", flag.ExitOnError)
	file := f.String("file", "", "WAV `file`")
	_ = f.Parse(args) // ExitOnError
	raw, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	// Whoever is still recording has not said in the header how long it is.
	const header, window = 44, 800
	if len(raw) < header {
		return errors.New("nothing was recorded")
	}
	raw = raw[header:]
	samples := audio.DecodeSamples(audio.PCM, nil, raw[:len(raw)&^1])
	from := 0
	for _, arg := range f.Args() {
		hz, err := strconv.ParseFloat(arg, 64)
		if err != nil {
			return err
		}
		for ; ; from += window / 4 {
			if from+window > len(samples) {
				return fmt.Errorf("%.0f Hz is not heard in its turn, in %.1f s of sound", hz, float64(len(samples))/8000)
			}
			if got, err := tone(samples[from : from+window]); err == nil && math.Abs(got-hz) < 5 {
				break
			}
		}
	}
	return nil
}
