// Command fillusers creates many users in an instance, for scripts that need
// more than one page of them: the AWS CLI takes most of a second for each. It
// prints their usernames, one a line, when all are there. Credentials and
// region come from the environment variables that the CLI reads.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// connections is how many users are created at a time: enough for the server
// to commit many at once.
const connections = 32

func main() {
	endpoint := flag.String("endpoint-url", "", "`URL` of the server")
	in := &connect.CreateUserInput{
		IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
		PhoneConfig:  &types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone},
	}
	in.InstanceId = flag.String("instance-id", "", "`id` of an instance of identity type SAML")
	in.RoutingProfileId = flag.String("routing-profile-id", "", "`id` of the users' routing profile")
	profile := flag.String("security-profile-id", "", "`id` of the users' security profile")
	count := flag.Int("count", 0, "`number` of users")
	flag.Parse()
	in.SecurityProfileIds = []string{*profile}
	client := connect.New(connect.Options{
		Region: os.Getenv("AWS_REGION"), BaseEndpoint: endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	})
	if err := fill(context.Background(), client, in, *count); err != nil {
		log.Fatal(err)
	}
}

// fill creates count users like the given one and prints their usernames.
func fill(ctx context.Context, client *connect.Client, like *connect.CreateUserInput, count int) error {
	names := make(chan string)
	results := make(chan error)
	for range connections {
		go func() {
			for name := range names {
				in := *like
				in.Username = aws.String(name)
				_, err := client.CreateUser(ctx, &in)
				results <- err
			}
		}()
	}
	go func() {
		defer close(names)
		for i := range count {
			names <- username(i)
		}
	}()
	var failed error
	for range count {
		if err := <-results; err != nil && failed == nil {
			failed = err
		}
	}
	if failed != nil {
		return failed
	}
	out := bufio.NewWriter(os.Stdout)
	for i := range count {
		fmt.Fprintln(out, username(i))
	}
	return out.Flush()
}

func username(i int) string { return fmt.Sprintf("agent-%05d", i) }
