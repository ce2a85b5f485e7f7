// Command sip does what scripts/sip.sh, scripts/baresip.sh and scripts/asterisk.sh
// need beside the telephones: ports, sounds, an instance with its flows, calls to be
// started, and a look at what became of each call. Credentials and region come from
// the environment variables that the AWS CLI reads.
//
//	sip ports COUNT                 prints free ports, one a line, and holds them
//	sip sounds                      writes the callers' sounds here, and the prompts
//	sip setup                       makes the instance, prints its ids for a shell
//	sip callers FIRST COUNT         prints callers and their keys for sipp -inf
//	sip dial [NUMBER]...            starts outbound calls
//	sip ends [NUMBER=REASON]...     waits until calls have ended, and checks each
//	sip hear                        tells of the sound that comes to a port
//	sip stranger                    is on no trunk, and expects silence
//	sip baresip                     has baresip call, press keys, hold and hang up
//	sip transfer                    has callers of a number transferred elsewhere
//	sip tones [HZ]...               looks for tones in a recording
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"
)

// commands by their names.
var commands = map[string]func(ctx context.Context, args []string) error{
	"ports": ports, "sounds": sounds, "setup": setup, "callers": callers, "dial": dial, "ends": ends,
	"hear": hear, "stranger": stranger, "baresip": baresip, "transfer": transfer, "tones": tones,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || commands[args[0]] == nil {
		return errors.New("no such command; see the comment of scripts/sip")
	}
	return commands[args[0]](ctx, args[1:])
}

// api is where the server is, and the instance of the calls.
type api struct {
	endpoint, instance string
	client             *connect.Client
}

// flags are those of a command that calls the API.
func (a *api) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ExitOnError)
	f.StringVar(&a.endpoint, "endpoint-url", "", "`URL` of the server")
	f.StringVar(&a.instance, "instance-id", "", "`id` of the instance")
	return f
}

func (a *api) parse(f *flag.FlagSet, args []string) {
	_ = f.Parse(args) // ExitOnError
	a.client = connect.New(connect.Options{
		Region: os.Getenv("AWS_REGION"), BaseEndpoint: &a.endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	})
}

// customer is the number of a caller or callee of a series. Its last digit is the
// key that they press in the menu.
func customer(prefix string, n int) string {
	return fmt.Sprintf("%s%05d%d", prefix, n, 1+n%len(choices))
}

// choices are what the keys of the menu mean.
var choices = []string{"one", "two", "three"}

// choice is what somebody presses in the menu.
func choice(number string) string { return choices[number[len(number)-1]-'1'] }

// callers prints who calls, for sipp -inf: number, and key.
func callers(_ context.Context, args []string) error {
	f := flag.NewFlagSet("callers", flag.ExitOnError)
	prefix := f.String("prefix", "+12065", "`beginning` of the numbers")
	_ = f.Parse(args) // ExitOnError
	first, err1 := strconv.Atoi(f.Arg(0))
	count, err2 := strconv.Atoi(f.Arg(1))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	fmt.Println("SEQUENTIAL")
	for n := first; n < first+count; n++ {
		number := customer(*prefix, n)
		fmt.Printf("%s;%s\n", number, number[len(number)-1:])
	}
	return nil
}

// ports prints free ports, each the first of a dozen that are: telephones take the
// next ones for sound and control. It stays as long as they are needed: by the first
// port of their region, which it holds, other runs know that the region is taken.
func ports(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("say how many ports")
	}
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	// From 20,000 the server has its own, and above are those that the system gives to
	// any program at any time.
	const lowest, highest, region, step, beside = 10_000, 20_000, 500, 20, 12
	for first := lowest; first < highest; first += region {
		hold, err := listen(ctx, first)
		if err != nil {
			continue
		}
		var found []int
		for port := first + step; port < first+region && len(found) < count; port += step {
			if free(ctx, port, beside) {
				found = append(found, port)
			}
		}
		if len(found) == count {
			for _, port := range found {
				fmt.Println(port)
			}
			<-ctx.Done()
			return hold.Close()
		}
		_ = hold.Close()
	}
	return errors.New("no free ports")
}

func listen(ctx context.Context, port int) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// free tells whether some ports in a row are, for UDP and TCP.
func free(ctx context.Context, first, count int) bool {
	var lc net.ListenConfig
	for port := first; port < first+count; port++ {
		udp, err := lc.ListenPacket(ctx, "udp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return false
		}
		_ = udp.Close()
		tcp, err := listen(ctx, port)
		if err != nil {
			return false
		}
		_ = tcp.Close()
	}
	return true
}
