package participants

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ringdown/internal/chat"
	"ringdown/internal/contact"
	"ringdown/internal/contact/record"
	"ringdown/internal/contract/connectparticipant"
	"ringdown/internal/contract/connectparticipant/types"
	"ringdown/internal/domain"
)

// pageOfTranscript is how many items a page has by default (Participant Service
// API reference, GetTranscript).
const pageOfTranscript = 10

// GetTranscript shows what was said in the chat, and in past ones that it goes on
// from: from a position, forward or backward. A page is sorted by itself. What is
// said meanwhile neither shifts nor repeats items from page to page.
func (p *Participants) GetTranscript(ctx context.Context, in *connectparticipant.GetTranscriptInput) (*connectparticipant.GetTranscriptOutput, error) {
	ctx, who, err := p.identify(ctx, in.ConnectionToken, chat.ConnectionToken)
	if err != nil {
		return nil, err
	}
	v, err := p.Engine.Chat(ctx, who.Participant)
	if err != nil {
		return nil, err
	}
	s := scroll{chat: v, limit: pageOfTranscript}
	if n := aws.ToInt32(in.MaxResults); n > 0 {
		s.limit = int(n)
	}
	if s.segments, err = v.Segments(ctx); err != nil {
		return nil, err
	}
	slices.Reverse(s.segments) // the oldest first
	if id := aws.ToString(in.ContactId); id != "" {
		s.segments = slices.DeleteFunc(s.segments, func(g contact.Segment) bool { return string(g.Contact) != id })
		if len(s.segments) == 0 {
			return nil, invalid("ContactId: contact %s belongs neither to the chat nor to one that it goes on from", id)
		}
	}
	from, err := s.start(ctx, in)
	if err != nil {
		return nil, err
	}
	page, next, err := s.page(ctx, from)
	if err != nil {
		return nil, err
	}
	// What was scanned backward is the newest first.
	if from.backward != (in.SortOrder == types.SortKeyDescending) {
		slices.Reverse(page)
	}
	out := &connectparticipant.GetTranscriptOutput{
		InitialContactId: aws.String(string(v.Contact.InitialID)), Transcript: make([]types.Item, 0, len(page)),
	}
	for _, l := range page {
		out.Transcript = append(out.Transcript, itemOf(l))
	}
	if next != nil {
		out.NextToken = aws.String(next.token())
	}
	return out, nil
}

// place is where a page begins: at an item of a segment, itself included.
type place struct {
	segment  int // in scroll.segments
	line     int // in the segment's lines; -1 for the last
	backward bool
	contact  domain.ContactID // of segment
}

// token is a place as a client gives it back.
func (p place) token() string {
	direction := "f"
	if p.backward {
		direction = "b"
	}
	return base64.RawURLEncoding.EncodeToString([]byte(direction + "/" + string(p.contact) + "/" + strconv.Itoa(p.line)))
}

// scroll is a transcript that is read.
type scroll struct {
	chat     *contact.Chat
	segments []contact.Segment // the oldest first
	limit    int
}

// at is the place of a line of a segment.
func (s *scroll) at(segment, line int, backward bool) place {
	return place{segment, line, backward, s.segments[segment].Contact}
}

// start is where a request begins to read.
func (s *scroll) start(ctx context.Context, in *connectparticipant.GetTranscriptInput) (place, error) {
	if in.NextToken != nil {
		return s.resumed(*in.NextToken)
	}
	pos := in.StartPosition
	given := pos != nil && (pos.Id != nil || pos.AbsoluteTime != nil || pos.MostRecent > 0)
	// Without a position backward is what is meant, with one forward.
	backward := in.ScanDirection == types.ScanDirectionBackward || in.ScanDirection == "" && !given
	switch {
	case given && pos.Id != nil:
		return s.find(ctx, backward, func(l contact.Line) bool { return l.ID == *pos.Id }, "StartPosition.Id: there is no such item in the transcript")
	case given && pos.AbsoluteTime != nil:
		at, err := time.Parse(time.RFC3339, *pos.AbsoluteTime)
		if err != nil {
			return place{}, invalid("StartPosition.AbsoluteTime must be a time such as 2019-11-08T02:41:28.172Z")
		}
		return s.atTime(ctx, backward, at)
	case given:
		return s.mostRecent(ctx, backward, int(pos.MostRecent))
	case backward:
		return s.at(len(s.segments)-1, -1, true), nil
	default:
		return s.at(0, 0, false), nil
	}
}

func (s *scroll) resumed(token string) (place, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	parts := strings.Split(string(raw), "/")
	if err == nil && len(parts) == 3 {
		line, err := strconv.Atoi(parts[2])
		i := slices.IndexFunc(s.segments, func(g contact.Segment) bool { return string(g.Contact) == parts[1] })
		if err == nil && i >= 0 && line >= -1 && (parts[0] == "f" || parts[0] == "b") {
			return s.at(i, line, parts[0] == "b"), nil
		}
	}
	return place{}, invalid("NextToken is not one that a request for this transcript was answered with")
}

// find is the place of the first item that is asked for.
func (s *scroll) find(ctx context.Context, backward bool, is func(contact.Line) bool, otherwise string) (place, error) {
	for i, g := range s.segments {
		lines, err := s.chat.Lines(ctx, g)
		if err != nil {
			return place{}, err
		}
		if n := slices.IndexFunc(lines, is); n >= 0 {
			return s.at(i, n, backward), nil
		}
	}
	return place{}, invalid("%s", otherwise)
}

// atTime is the place of the first item at a time or after it, or, backward, of
// the last at the time or before it.
func (s *scroll) atTime(ctx context.Context, backward bool, at time.Time) (place, error) {
	for i, g := range s.segments {
		lines, err := s.chat.Lines(ctx, g)
		if err != nil {
			return place{}, err
		}
		for n, l := range lines {
			switch {
			case l.At.Before(at), backward && l.At.Equal(at):
			case !backward:
				return s.at(i, n, false), nil
			case n > 0:
				return s.at(i, n-1, true), nil
			case i > 0:
				return s.at(i-1, -1, true), nil
			default:
				return s.nowhere(true), nil
			}
		}
	}
	if backward {
		return s.at(len(s.segments)-1, -1, true), nil
	}
	return s.nowhere(false), nil
}

// nowhere is a place at which there is nothing to read.
func (s *scroll) nowhere(backward bool) place {
	if backward {
		return place{segment: -1, backward: true}
	}
	return place{segment: len(s.segments)}
}

// mostRecent is the place of the first of the last n items.
func (s *scroll) mostRecent(ctx context.Context, backward bool, n int) (place, error) {
	if backward {
		return s.at(len(s.segments)-1, -1, true), nil
	}
	for i := len(s.segments) - 1; i >= 0; i-- {
		lines, err := s.chat.Lines(ctx, s.segments[i])
		if err != nil {
			return place{}, err
		}
		if n <= len(lines) {
			return s.at(i, len(lines)-n, false), nil
		}
		n -= len(lines)
	}
	return s.at(0, 0, false), nil
}

// page reads from a place on, in the order of the scan, and tells where the next
// page begins, nil for nowhere.
func (s *scroll) page(ctx context.Context, from place) (page []contact.Line, next *place, err error) {
	step := 1
	if from.backward {
		step = -1
	}
	for i, line := from.segment, from.line; i >= 0 && i < len(s.segments); i += step {
		lines, err := s.chat.Lines(ctx, s.segments[i])
		if err != nil {
			return nil, nil, err
		}
		if line < 0 && from.backward {
			line = len(lines) - 1
		}
		for n := line; n >= 0 && n < len(lines); n += step {
			if len(page) == s.limit {
				at := s.at(i, n, from.backward)
				return page, &at, nil
			}
			page = append(page, lines[n])
		}
		if line = 0; from.backward {
			line = -1
		}
	}
	return page, nil, nil
}

// itemOf is a line as the API shows it.
func itemOf(l contact.Line) types.Item {
	out := types.Item{
		AbsoluteTime: aws.String(record.Millis(l.At)), Id: aws.String(l.ID), Type: types.ChatItemType(l.Type), ParticipantRole: types.ParticipantRole(l.Role),
		Content: optional(l.Content), ContentType: optional(l.ContentType), DisplayName: optional(l.DisplayName), ParticipantId: optional(l.ParticipantID),
	}
	if l.Past {
		out.RelatedContactId = aws.String(string(l.ContactID))
	} else {
		out.ContactId = aws.String(string(l.ContactID))
	}
	for _, a := range l.Attachments {
		out.Attachments = append(out.Attachments, types.AttachmentItem{
			AttachmentId: aws.String(a.ID), AttachmentName: aws.String(a.Name), ContentType: aws.String(a.ContentType), Status: types.ArtifactStatus(a.Status),
		})
	}
	if len(l.Receipts) > 0 {
		out.MessageMetadata = &types.MessageMetadata{MessageId: aws.String(l.ID)}
		for _, r := range l.Receipts {
			out.MessageMetadata.Receipts = append(out.MessageMetadata.Receipts, types.Receipt{
				DeliveredTimestamp: optional(record.Millis(r.DeliveredAt)), ReadTimestamp: optional(record.Millis(r.ReadAt)), RecipientParticipantId: aws.String(r.RecipientID),
			})
		}
	}
	return out
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
