// Package evaluation holds the questionnaires by which contacts are evaluated:
// what a form may ask, which answers fit it, and how they are scored. It is
// pure: what is stored and served is the concern of others.
package evaluation
