package numbers

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// With quotas, a released number rests and releases are counted: after 200 % of
// the quota for an instance within 180 days nothing more can be claimed (AWS
// API reference, ReleasePhoneNumber and ClaimPhoneNumber).
const (
	cooldown     = 180 * 24 * time.Hour
	releaseQuota = 2 * phoneNumberQuota
)

// searchPage is the page size of SearchAvailablePhoneNumbers when the request
// names none; it is also the largest.
const searchPage = 10

// SearchAvailablePhoneNumbers lists the numbers of a country and type that can
// be claimed, in ascending order.
func (n *Numbers) SearchAvailablePhoneNumbers(ctx context.Context, in *connect.SearchAvailablePhoneNumbersInput) (*connect.SearchAvailablePhoneNumbersOutput, error) {
	to, err := n.target(ctx, in.TargetArn, in.InstanceId)
	if err != nil {
		return nil, err
	}
	prefix := aws.ToString(in.PhoneNumberPrefix)
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken, Default: searchPage}
	var out *connect.SearchAvailablePhoneNumbersOutput
	list := func(rd store.Reader, rested func(string) (bool, error)) error {
		found, next, err := catalog.Sequence(to.Scope, domain.KindPhoneNumber, page, func(after string) iter.Seq2[domain.AvailableNumber, error] {
			return n.available(ctx, rd, rested, n.stock.Find(in.PhoneNumberCountryCode, in.PhoneNumberType, prefix, after))
		}, func(a domain.AvailableNumber) string { return a.E164 })
		if err != nil {
			return err
		}
		out = &connect.SearchAvailablePhoneNumbersOutput{
			NextToken: next,
			AvailableNumbersList: catalog.Map(found, func(a domain.AvailableNumber) types.AvailableNumberSummary {
				return types.AvailableNumberSummary{PhoneNumber: aws.String(a.E164), PhoneNumberCountryCode: a.Country, PhoneNumberType: a.Type}
			}),
		}
		return nil
	}
	if n.catalog.Quotas() {
		// Which numbers rest can be asked in a transaction only.
		err = n.catalog.Store().Update(ctx, func(tx store.Tx) error {
			return list(tx, func(number string) (bool, error) { return n.rested(ctx, tx, number) })
		})
	} else {
		err = n.catalog.Store().View(ctx, func(rd store.Reader) error {
			return list(rd, func(string) (bool, error) { return true, nil })
		})
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

func checkPrefix(prefix string) error {
	if prefix != "" && !strings.HasPrefix(prefix, "+") {
		return fault.New(fault.InvalidParameter, "PhoneNumberPrefix must contain + as part of the country code")
	}
	return nil
}

// available leaves out the numbers that somebody has, and those that rest.
func (n *Numbers) available(ctx context.Context, rd store.Reader, rested func(string) (bool, error), all iter.Seq[domain.AvailableNumber]) iter.Seq2[domain.AvailableNumber, error] {
	return func(yield func(domain.AvailableNumber, error) bool) {
		for a := range all {
			_, err := n.phoneNumbers.GetByName(ctx, rd, n.catalog.RootScope(ctx), a.E164)
			free := fault.Is(err, fault.ResourceNotFound)
			if free {
				free, err = rested(a.E164)
			}
			if (free || err != nil) && !yield(a, err) {
				return
			}
		}
	}
}

// ClaimPhoneNumber gives a number to an instance or a traffic distribution
// group. Over the quota it does so too, as on the real service: the number is
// then FAILED, and can be claimed again.
func (n *Numbers) ClaimPhoneNumber(ctx context.Context, in *connect.ClaimPhoneNumberInput) (*connect.ClaimPhoneNumberOutput, error) {
	to, err := n.newTarget(ctx, in.TargetArn, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return catalog.Once(ctx, n.catalog, to.Scope, "ClaimPhoneNumber", in.ClientToken, in, func(tx store.Tx) (*connect.ClaimPhoneNumberOutput, error) {
		a, ok := n.stock.Lookup(*in.PhoneNumber)
		if !ok {
			return nil, notAvailable(*in.PhoneNumber)
		}
		made, err := n.claim(ctx, tx, to, a, &domain.PhoneNumber{Description: aws.ToString(in.PhoneNumberDescription)}, in.Tags)
		if err != nil {
			return nil, err
		}
		return &connect.ClaimPhoneNumberOutput{PhoneNumberId: aws.String(made.ID), PhoneNumberArn: made.ARN(n.catalog.RootScope(ctx))}, nil
	})
}

// ImportPhoneNumber gives an instance a number of another service. There is no
// such service here: what its ARN ends with is taken for the number, or stands
// for one (docs/divergences.md).
func (n *Numbers) ImportPhoneNumber(ctx context.Context, in *connect.ImportPhoneNumberInput) (*connect.ImportPhoneNumberOutput, error) {
	to, err := n.newTarget(ctx, nil, in.InstanceId)
	if err != nil {
		return nil, err
	}
	arn := *in.SourcePhoneNumberArn
	part := strings.SplitN(arn, ":", 6)
	if len(part) != 6 || part[0] != "arn" || part[2] != "sms-voice" || part[3] != to.Region || part[4] != to.Account {
		return nil, fault.New(fault.InvalidParameter, "SourcePhoneNumberArn must be that of a phone number of AWS End User Messaging in the account and region of the instance: arn:%s:sms-voice:%s:%s:phone-number/…", domain.Partition(to.Region), to.Region, to.Account)
	}
	return catalog.Once(ctx, n.catalog, to.Scope, "ImportPhoneNumber", in.ClientToken, in, func(tx store.Tx) (*connect.ImportPhoneNumberOutput, error) {
		a, ok := n.stock.Imported(arn)
		if !ok {
			return nil, notAvailable(arn)
		}
		made, err := n.claim(ctx, tx, to, a, &domain.PhoneNumber{Description: aws.ToString(in.PhoneNumberDescription), SourceARN: arn}, in.Tags)
		if err != nil {
			return nil, err
		}
		return &connect.ImportPhoneNumberOutput{PhoneNumberId: aws.String(made.ID), PhoneNumberArn: made.ARN(n.catalog.RootScope(ctx))}, nil
	})
}

// newTarget is target for what is done in the region of a traffic distribution
// group alone (AWS API reference, ClaimPhoneNumber).
func (n *Numbers) newTarget(ctx context.Context, arn, id *string) (target, error) {
	to, err := n.target(ctx, arn, id)
	if err == nil && to.group != "" && to.Region != to.Home {
		return target{}, fault.New(fault.InvalidParameter, "TargetArn names a traffic distribution group of %s: numbers are claimed to it there", to.Home)
	}
	return to, err
}

// claim fills in e and inserts it, if the number is free.
func (n *Numbers) claim(ctx context.Context, tx store.Tx, to target, a domain.AvailableNumber, e *domain.PhoneNumber, tags map[string]string) (*phoneNumber, error) {
	root := n.catalog.RootScope(ctx)
	switch before, err := n.phoneNumbers.GetByName(ctx, tx, root, a.E164); {
	case fault.Is(err, fault.ResourceNotFound):
	case err != nil:
		return nil, err
	case before.Value.Status != types.PhoneNumberWorkflowStatusFailed:
		return nil, notAvailable(a.E164)
	default:
		root.Region = before.Value.Region
		if err := n.phoneNumbers.Remove(ctx, tx, root, before.ID, nil); err != nil {
			return nil, err
		}
	}
	if free, err := n.rested(ctx, tx, a.E164); err != nil {
		return nil, err
	} else if !free {
		return nil, notAvailable(a.E164)
	}
	e.Number, e.CountryCode, e.Type = a.E164, a.Country, a.Type
	e.Region, e.InstanceID, e.GroupID = to.Region, to.ID, to.group
	e.Status = types.PhoneNumberWorkflowStatusClaimed
	why, err := n.overQuota(ctx, tx, to)
	if err != nil {
		return nil, err
	}
	if why != "" {
		e.Status, e.StatusMessage = types.PhoneNumberWorkflowStatusFailed, why
	}
	return n.phoneNumbers.Insert(ctx, tx, n.catalog.RootScope(ctx), e, tags)
}

func notAvailable(number string) error {
	return fault.New(fault.InvalidParameter, "Phone number not available: %s", number)
}

// overQuota says why a target may have no more numbers, "" when it may.
func (n *Numbers) overQuota(ctx context.Context, tx store.Tx, to target) (string, error) {
	if !n.catalog.Quotas() {
		return "", nil
	}
	if has, err := tx.CountReferrers(ctx, to.PK, roleInstance); err != nil {
		return "", err
	} else if has >= phoneNumberQuota {
		return fmt.Sprintf("The instance has reached its limit of %d phone numbers.", phoneNumberQuota), nil
	}
	if released, err := n.catalog.Tallied(ctx, tx, releases(to.Region)); err != nil {
		return "", err
	} else if released >= releaseQuota {
		return fmt.Sprintf("The account has released %d phone numbers within 180 days.", released), nil
	}
	return "", nil
}

func releases(region string) catalog.Tally {
	return catalog.Tally{Key: "ReleasePhoneNumber/quota/" + region, Span: cooldown}
}

func restKey(number string) string { return "ReleasePhoneNumber/rest/" + number }

// rested reports whether a number, if it was ever released, has rested since.
func (n *Numbers) rested(ctx context.Context, tx store.Tx, number string) (bool, error) {
	if !n.catalog.Quotas() {
		return true, nil
	}
	memo, err := tx.Recall(ctx, restKey(number))
	return memo == nil, err
}

// ReleasePhoneNumber gives a number back. Without quotas it can be claimed
// again at once (docs/divergences.md). A number that a queue's calls show is a
// ResourceInUseException.
func (n *Numbers) ReleasePhoneNumber(ctx context.Context, in *connect.ReleasePhoneNumberInput) (*connect.ReleasePhoneNumberOutput, error) {
	root := n.catalog.RootScope(ctx)
	_, err := catalog.Once(ctx, n.catalog, root, "ReleasePhoneNumber", in.ClientToken, in, func(tx store.Tx) (*struct{}, error) {
		var number string
		err := n.phoneNumbers.Remove(ctx, tx, root, *in.PhoneNumberId, func(i *phoneNumber) error {
			number = i.Value.Number
			return nil
		})
		if err != nil || !n.catalog.Quotas() {
			return &struct{}{}, err
		}
		if err := n.catalog.Tally(ctx, tx, releases(root.Region)); err != nil {
			return nil, err
		}
		return &struct{}{}, tx.Remember(ctx, restKey(number), store.Memo{Expires: n.catalog.Now().Add(cooldown)})
	})
	return nil, err
}

// UpdatePhoneNumber moves a number to another instance or traffic distribution
// group of the region. Its flow does not move along.
func (n *Numbers) UpdatePhoneNumber(ctx context.Context, in *connect.UpdatePhoneNumberInput) (*connect.UpdatePhoneNumberOutput, error) {
	to, err := n.newTarget(ctx, in.TargetArn, in.InstanceId)
	if err != nil {
		return nil, err
	}
	root := n.catalog.RootScope(ctx)
	return catalog.Once(ctx, n.catalog, to.Scope, "UpdatePhoneNumber", in.ClientToken, in, func(tx store.Tx) (*connect.UpdatePhoneNumberOutput, error) {
		i, err := n.phoneNumbers.GetIn(ctx, tx, root, *in.PhoneNumberId)
		if err != nil {
			return nil, err
		}
		if i.Value.InstanceID != to.ID {
			if err := n.checkMove(ctx, tx, root, i, to); err != nil {
				return nil, err
			}
		}
		err = n.phoneNumbers.Change(ctx, tx, root, i.ID, func(e *domain.PhoneNumber) error {
			if e.InstanceID != to.ID || e.GroupID != to.group {
				e.ContactFlowID = ""
			}
			e.InstanceID, e.GroupID = to.ID, to.group
			return nil
		})
		if err != nil {
			return nil, err
		}
		return &connect.UpdatePhoneNumberOutput{PhoneNumberId: aws.String(i.ID), PhoneNumberArn: i.ARN(root)}, nil
	})
}

// checkMove refuses to take a number from an instance that uses it, or to give
// it to one that has as many as it may.
func (n *Numbers) checkMove(ctx context.Context, tx store.Tx, root catalog.Scope, i *phoneNumber, to target) error {
	queues, err := tx.CountReferrers(ctx, i.PK(), catalog.RoleCallerNumber)
	if err != nil {
		return err
	}
	if queues > 0 {
		return fault.New(fault.ResourceInUse, "The phone number %s is the outbound caller id of %d queues.", i.Value.Number, queues).
			With("ResourceType", types.ResourceTypePhoneNumber).With("ResourceId", root.ARN(domain.KindPhoneNumber, i.ID))
	}
	why, err := n.overQuota(ctx, tx, to)
	if err == nil && why != "" {
		return fault.New(fault.InvalidParameter, "%s", why)
	}
	return err
}

// UpdatePhoneNumberMetadata sets the description; an empty one clears it.
func (n *Numbers) UpdatePhoneNumberMetadata(ctx context.Context, in *connect.UpdatePhoneNumberMetadataInput) (*connect.UpdatePhoneNumberMetadataOutput, error) {
	root := n.catalog.RootScope(ctx)
	_, err := catalog.Once(ctx, n.catalog, root, "UpdatePhoneNumberMetadata", in.ClientToken, in, func(tx store.Tx) (*struct{}, error) {
		return &struct{}{}, n.phoneNumbers.Change(ctx, tx, root, *in.PhoneNumberId, func(e *domain.PhoneNumber) error {
			if in.PhoneNumberDescription != nil {
				e.Description = *in.PhoneNumberDescription
			}
			return nil
		})
	})
	return nil, err
}

// Leave releases the numbers that an instance has in the region of sc.
func (n *Numbers) Leave(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	root := n.catalog.RootScope(ctx)
	found, _, err := n.phoneNumbers.ReferringWhere(ctx, tx, sc, sc.PK, roleInstance, catalog.Page{MaxResults: aws.Int32(unpaged)}, func(i *phoneNumber) bool {
		return i.Value.Region == sc.Region
	})
	if err != nil {
		return err
	}
	for _, i := range found {
		if err := n.phoneNumbers.Remove(ctx, tx, root, i.ID, nil); err != nil {
			return err
		}
	}
	return nil
}
