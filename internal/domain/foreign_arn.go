package domain

import (
	"strings"

	"ringdown/internal/fault"
)

// maxARN is the most characters of an ARN (AWS General Reference, "Amazon
// Resource Names").
const maxARN = 2048

// checkForeignARN checks that a member names a resource of another AWS service,
// any of them when service is "". Whether the resource exists is not known
// here. The start of its last part, such as "function:", tells its type.
func checkForeignARN(member, arn, service, resource string) error {
	parts := strings.SplitN(arn, ":", 6)
	switch {
	case len(arn) > maxARN:
		return fault.New(fault.InvalidParameter, "%s must have at most %d characters, it has %d", member, maxARN, len(arn))
	case len(parts) != 6 || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") || parts[2] == "" || parts[5] == "":
		return fault.New(fault.InvalidParameter, "%s must be an ARN: arn:partition:service:region:account:resource", member)
	case service != "" && parts[2] != service:
		return fault.New(fault.InvalidParameter, "%s must be an ARN of the service %s, it is one of %s", member, service, parts[2])
	case service != "" && (parts[3] == "" || !IsAccountID(parts[4])):
		return fault.New(fault.InvalidParameter, "%s must name a region and an account of 12 digits", member)
	case !strings.HasPrefix(parts[5], resource) || len(parts[5]) == len(resource):
		return fault.New(fault.InvalidParameter, "%s must end in %sNAME", member, resource)
	}
	return nil
}

// IsAccountID reports whether s has the form of the id of an AWS account: 12
// digits.
func IsAccountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}
