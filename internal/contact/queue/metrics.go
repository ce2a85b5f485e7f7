package queue

import "time"

// Staffing counts the agents of a queue.
type Staffing struct {
	Online, Available, Staffed, AfterContactWork, Busy, Missed, NonProductive int
}

// Metric is one metric as the action CheckMetricData names it (API reference,
// CheckMetricData): a count, or seconds.
func Metric(name string, line []Place, staff Staffing, at time.Time) int {
	switch name {
	case "NumberOfContactsInQueue":
		return len(line)
	case "OldestContactInQueueAgeSeconds":
		return int(Oldest(line, at).Seconds())
	case "NumberOfAgentsAvailable":
		return staff.Available
	case "NumberOfAgentsStaffed":
		return staff.Staffed
	case "NumberOfAgentsOnline":
		return staff.Online
	default:
		return 0
	}
}

// Metrics is $.Metrics of flows (administrator guide, "Get queue metrics").
func Metrics(name, arn string, line []Place, staff Staffing, at time.Time) map[string]any {
	count := func(n int) any { return map[string]any{"Count": n} }
	return map[string]any{
		"Queue": map[string]any{"Name": name, "ARN": arn, "Size": len(line), "OldestContactAge": int(Oldest(line, at).Seconds())},
		"Agents": map[string]any{
			"Online": count(staff.Online), "Available": count(staff.Available), "Staffed": count(staff.Staffed),
			"AfterContactWork": count(staff.AfterContactWork), "Busy": count(staff.Busy), "Missed": count(staff.Missed),
			"NonProductive": count(staff.NonProductive),
		},
	}
}
