package topics_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"ringdown/internal/chat"
	"ringdown/internal/chat/topics"
)

const topic = "arn:aws:sns:eu-west-1:123456789012:chats"

// receiver answers with a status and keeps what it was asked.
func receiver(t *testing.T, status *int, body *string, header *http.Header) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		*body, *header = string(raw), r.Header
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(*status)
		_, _ = io.WriteString(w, `<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestPublish: by the API of SNS and by plain HTTP, what is sent, and what answers
// mean.
func TestPublish(t *testing.T) {
	m := chat.Message{Body: `{"Content":"secret words"}`, At: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC), Attributes: map[string]string{"Type": "MESSAGE"}}
	var status int
	var body string
	var header http.Header
	to := receiver(t, &status, &body, &header)
	for name, c := range map[string]struct {
		options topics.Options
		sent    func(t *testing.T)
	}{
		"SNS": {topics.Options{Endpoint: to, Region: "us-east-1", AccessKeyID: "id", SecretAccessKey: "secret"}, func(t *testing.T) {
			form, err := url.ParseQuery(body)
			if err != nil || form.Get("Action") != "Publish" || form.Get("TopicArn") != topic || form.Get("Message") != m.Body ||
				form.Get("MessageAttributes.entry.1.Name") != "Type" || form.Get("MessageAttributes.entry.1.Value.StringValue") != "MESSAGE" {
				t.Errorf("sent %v %v", form, err)
			}
			if !strings.Contains(header.Get("Authorization"), "/eu-west-1/sns/") { // the topic's region
				t.Errorf("signed %s", header.Get("Authorization"))
			}
		}},
		"HTTP": {topics.Options{Topics: map[string]string{topic: to}}, func(t *testing.T) {
			for _, part := range []string{`"Type":"Notification"`, `"TopicArn":"` + topic + `"`, `"Timestamp":"2026-11-22T03:00:00.000Z"`, `"MessageAttributes":{"Type":{"Type":"String","Value":"MESSAGE"}}`} {
				if !strings.Contains(body, part) {
					t.Errorf("sent %s without %s", body, part)
				}
			}
			if header.Get("X-Amz-Sns-Message-Type") != "Notification" {
				t.Errorf("headers %v", header)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := topics.New(c.options)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			for _, answer := range []struct {
				status      int
				fails, ever bool
			}{{200, false, false}, {500, true, false}, {429, true, false}, {404, true, true}} {
				status = answer.status
				err := client.Publish(t.Context(), topic, m)
				if (err != nil) != answer.fails || errors.Is(err, chat.ErrUnpublishable) != answer.ever {
					t.Errorf("%d: %v", answer.status, err)
				}
				if err != nil && strings.Contains(err.Error(), to) {
					t.Errorf("the error shows the address: %v", err)
				}
			}
			c.sent(t)
		})
	}
	nobody, err := topics.New(topics.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := nobody.Publish(t.Context(), topic, m); !errors.Is(err, chat.ErrUnpublishable) {
		t.Errorf("a topic that nobody knows: %v", err)
	}
	for _, wrong := range []topics.Options{
		{Endpoint: "nowhere", AccessKeyID: "a", SecretAccessKey: "b"}, {Endpoint: topics.Amazon}, {Topics: map[string]string{"chats": to}}, {Topics: map[string]string{topic: "nowhere"}},
	} {
		if _, err := topics.New(wrong); err == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
}
