package domain

// LambdaFunction is a function that flows may invoke.
type LambdaFunction struct {
	ARN string
}

// Check checks the form of the ARN. It may name a version or an alias of the
// function.
func (f *LambdaFunction) Check() error {
	return checkForeignARN("FunctionArn", f.ARN, "lambda", "function:")
}
