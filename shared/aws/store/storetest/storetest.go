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
	return &dynamodb.CreateTableInput{
		TableName:            &name,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
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
