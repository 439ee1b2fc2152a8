package launch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
)

// waitReady asks until the namespace is there with its attributes and retention.
func (s *TemporalServer) waitReady(ctx context.Context, opts TemporalOptions) error {
	ctx, cancel := context.WithTimeout(ctx, opts.StartWithin)
	defer cancel()
	conn, err := grpc.NewClient(s.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: time.Second}))
	if err != nil {
		return fmt.Errorf("connect to temporal: %w", err)
	}
	defer func() { _ = conn.Close() }()
	for {
		err := prepareNamespace(ctx, conn, opts)
		if err == nil {
			return nil
		}
		select {
		case <-s.Done():
			return s.Err()
		case <-ctx.Done():
			return fmt.Errorf("temporal is not ready within %s: %w; its last lines:\n%s", opts.StartWithin, err, indent(s.Tail()))
		case <-time.After(50 * time.Millisecond):
			conn.ResetConnectBackoff()
		}
	}
}

// prepareNamespace may be repeated: it changes only what differs.
func prepareNamespace(ctx context.Context, conn grpc.ClientConnInterface, opts TemporalOptions) error {
	frontend := workflowservice.NewWorkflowServiceClient(conn)
	found, err := frontend.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: opts.Namespace})
	if err != nil {
		return fmt.Errorf("describe the namespace: %w", err)
	}
	if found.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() != opts.Retention {
		_, err := frontend.UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
			Namespace: opts.Namespace,
			Config:    &namespace.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(opts.Retention)},
		})
		if err != nil {
			return fmt.Errorf("set the namespace's retention: %w", err)
		}
	}
	return addSearchAttributes(ctx, operatorservice.NewOperatorServiceClient(conn), opts)
}

func addSearchAttributes(ctx context.Context, operator operatorservice.OperatorServiceClient, opts TemporalOptions) error {
	present, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: opts.Namespace})
	if err != nil {
		return fmt.Errorf("list search attributes: %w", err)
	}
	missing := map[string]enums.IndexedValueType{}
	for name, kind := range opts.SearchAttributes {
		if _, ok := present.GetCustomAttributes()[name]; ok {
			continue
		}
		value, err := enums.IndexedValueTypeFromString(strings.TrimSpace(kind))
		if err != nil {
			return fmt.Errorf("search attribute %s: %w", name, err)
		}
		missing[name] = value
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: opts.Namespace, SearchAttributes: missing})
	if err != nil {
		return fmt.Errorf("add search attributes: %w", err)
	}
	return nil
}
