// Command sip does what scripts/sip.sh and scripts/baresip.sh need beside the
// telephones: ports, sounds, an instance with its flows, calls to be started, and
// a look at what became of each call. Credentials and region come from the
// environment variables that the AWS CLI reads.
//
//	sip ports COUNT                 prints free UDP ports, one a line
//	sip sounds                      writes the callers' sounds here, and the prompts
//	sip setup                       makes the instance, prints its ids for a shell
//	sip callers FIRST COUNT         prints callers and their keys for sipp -inf
//	sip dial [NUMBER]...            starts outbound calls
//	sip ends [NUMBER=REASON]...     waits until calls have ended, and checks each
//	sip hear                        tells of the sound that comes to a port
//	sip stranger                    is on no trunk, and expects silence
//	sip baresip                     has baresip call, press keys, hold and hang up
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"
)

// commands by their names.
var commands = map[string]func(ctx context.Context, args []string) error{
	"ports": ports, "sounds": sounds, "setup": setup, "callers": callers, "dial": dial, "ends": ends,
	"hear": hear, "stranger": stranger, "baresip": baresip,
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

// ports prints free UDP ports, each the first of a dozen that are: sipp takes the
// next ones for video and RTCP.
func ports(ctx context.Context, args []string) error {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	const beside = 12
	held := map[int]bool{}
	for tries := 0; count > 0 && tries < 1000; tries++ {
		// Free ports of the system are where its programs get theirs at any time; below
		// they stay free.
		first := 10_000 + 20*((os.Getpid()*37+tries)%490)
		if held[first] {
			continue
		}
		held[first] = true
		if free(ctx, first, beside) {
			fmt.Println(first)
			count--
		}
	}
	if count > 0 {
		return errors.New("no free ports")
	}
	return nil
}

func free(ctx context.Context, first, count int) bool {
	var lc net.ListenConfig
	for port := first; port < first+count; port++ {
		at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port)).String()
		udp, err := lc.ListenPacket(ctx, "udp4", at)
		if err != nil {
			return false
		}
		_ = udp.Close()
		tcp, err := lc.Listen(ctx, "tcp4", at)
		if err != nil {
			return false
		}
		_ = tcp.Close()
	}
	return true
}
