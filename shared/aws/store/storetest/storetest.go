// Package storetest makes the table that package store keeps everything in, for
// tests without the template.
package storetest

import (
	"crypto/rand"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Definition is the table's schema, as the resource Table of template.yaml has it.
func Definition(name string) *dynamodb.CreateTableInput {
	text := func(attribute string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &attribute, AttributeType: types.ScalarAttributeTypeS}
	}
	element := func(attribute string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &attribute, KeyType: kind}
	}
	return &dynamodb.CreateTableInput{
		TableName:            &name,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{text("pk"), text("heldBy"), text("created")},
		KeySchema:            []types.KeySchemaElement{element("pk", types.KeyTypeHash)},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("held"),
			KeySchema:  []types.KeySchemaElement{element("heldBy", types.KeyTypeHash), element("created", types.KeyTypeRange)},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	}
}

// Create makes a table with a name of its own, and returns the name.
func Create(t testing.TB, config aws.Config) string {
	t.Helper()
	name := "sessionstamp-" + rand.Text()
	if _, err := dynamodb.NewFromConfig(config).CreateTable(t.Context(), Definition(name)); err != nil {
		t.Fatalf("create a table: %v", err)
	}
	return name
}
