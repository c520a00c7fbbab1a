package cognitoapi

import "fiducial/internal/awsapi"

// The constraints of inputs, written after Cognito's API reference: unlike
// SageMaker's, its model is not part of this project.
var (
	anyText   = &awsapi.Shape{Type: awsapi.String}
	anyBool   = &awsapi.Shape{Type: awsapi.Boolean}
	texts     = listOf(anyText)
	printable = awsapi.NewPattern(`[\p{L}\p{M}\p{S}\p{N}\p{P}]+`)

	poolID    = &awsapi.Shape{Type: awsapi.String, Min: awsapi.Bound(1), Max: awsapi.Bound(55), Pattern: awsapi.NewPattern(`[\w-]+_[0-9a-zA-Z]+`)}
	poolName  = &awsapi.Shape{Type: awsapi.String, Min: awsapi.Bound(1), Max: awsapi.Bound(128), Pattern: awsapi.NewPattern(`[\w\s+=,.@-]+`)}
	clientID  = &awsapi.Shape{Type: awsapi.String, Min: awsapi.Bound(1), Max: awsapi.Bound(128), Pattern: awsapi.NewPattern(`[\w+]+`)}
	domain    = &awsapi.Shape{Type: awsapi.String, Min: awsapi.Bound(1), Max: awsapi.Bound(63), Pattern: awsapi.NewPattern(`[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?`)}
	groupName = &awsapi.Shape{Type: awsapi.String, Min: awsapi.Bound(1), Max: awsapi.Bound(128), Pattern: printable}
	username  = &awsapi.Shape{Type: awsapi.String, Min: awsapi.Bound(1), Max: awsapi.Bound(128), Pattern: printable, Sensitive: true}
	password  = &awsapi.Shape{Type: awsapi.String, Max: awsapi.Bound(256), Pattern: awsapi.NewPattern(`(?s)\S|\S.*\S`), Sensitive: true}
	pageLimit = &awsapi.Shape{Type: awsapi.Integer, Min: awsapi.Bound(0), Max: awsapi.Bound(60)}
	pageToken = &awsapi.Shape{Type: awsapi.String, Min: awsapi.Bound(1), Max: awsapi.Bound(131072), Pattern: awsapi.NewPattern(`[\S]+`)}
	aliases   = listOf(enum("email", "phone_number", "preferred_username"))

	attributes = listOf(structure(
		need("Name", &awsapi.Shape{Type: awsapi.String, Min: awsapi.Bound(1), Max: awsapi.Bound(32), Pattern: printable}),
		may("Value", &awsapi.Shape{Type: awsapi.String, Max: awsapi.Bound(2048), Sensitive: true})))
	passwordPolicy = structure(
		may("MinimumLength", &awsapi.Shape{Type: awsapi.Integer, Min: awsapi.Bound(6), Max: awsapi.Bound(99)}),
		may("RequireUppercase", anyBool), may("RequireLowercase", anyBool), may("RequireNumbers", anyBool), may("RequireSymbols", anyBool),
		may("TemporaryPasswordValidityDays", &awsapi.Shape{Type: awsapi.Integer, Min: awsapi.Bound(0), Max: awsapi.Bound(365)}))
	inPoolOnly = structure(need("UserPoolId", poolID))
	ofUser     = structure(need("UserPoolId", poolID), need("Username", username))
	ofGroup    = structure(need("UserPoolId", poolID), need("GroupName", groupName))
)

func structure(members ...awsapi.Member) *awsapi.Shape {
	return &awsapi.Shape{Type: awsapi.Structure, Members: members}
}

func need(name string, s *awsapi.Shape) awsapi.Member {
	return awsapi.Member{Name: name, Shape: s, Required: true}
}

func may(name string, s *awsapi.Shape) awsapi.Member { return awsapi.Member{Name: name, Shape: s} }

func listOf(s *awsapi.Shape) *awsapi.Shape { return &awsapi.Shape{Type: awsapi.List, Element: s} }

func enum(values ...string) *awsapi.Shape { return &awsapi.Shape{Type: awsapi.String, Enum: values} }
