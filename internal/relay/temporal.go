package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/durationpb"

	"lethe/internal/payload"
	"lethe/models"
	"lethe/workflows"
)

// NamespaceRetention is how long closed histories are kept. They are never evidence.
const NamespaceRetention = 7 * 24 * time.Hour

// Connection says where Temporal is and how payloads are encrypted.
type Connection struct {
	Address   string
	Namespace string
	Codec     *payload.Codec
	Log       *slog.Logger
}

// Connect makes a client that dials with its first use, so that a process is ready without Temporal.
func Connect(c Connection) (client.Client, error) {
	temporalClient, err := client.NewLazyClient(client.Options{
		HostPort:         c.Address,
		Namespace:        c.Namespace,
		DataConverter:    c.Codec.DataConverter(),
		FailureConverter: c.Codec.FailureConverter(),
		Logger:           tlog.NewStructuredLogger(c.Log),
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the Temporal client: %w", err)
	}
	return temporalClient, nil
}

// Temporal nudges workflows of a Temporal namespace.
type Temporal struct {
	Client    client.Client
	Namespace string
	// QueuePrefix stands before every task queue's name.
	QueuePrefix string
	Timings     workflows.Timings
	// Schedules: this process sees to it that the Schedule is as its settings say. Otherwise it is left as it is.
	Schedules bool
	// Every and Offset are when systems are compared with the facts: in each such period, so long after its beginning,
	// counted from midnight UTC. Every is 0: only by hand.
	Every, Offset time.Duration
}

var _ Target = (*Temporal)(nil)

// Nudge signals the row's workflow and starts it if none runs.
func (t *Temporal) Nudge(ctx context.Context, row Row) error {
	id, kind, queue := route(row)
	options := client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                t.QueuePrefix + queue,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}
	var attributes []temporal.SearchAttributeUpdate
	if row.DepartureID != nil {
		attributes = append(attributes, workflows.AttributeDeparture.ValueSet(row.DepartureID.String()))
	}
	if state := workflows.InitialState(kind); state != "" {
		attributes = append(attributes, workflows.AttributeState.ValueSet(state))
	}
	options.TypedSearchAttributes = temporal.NewSearchAttributes(attributes...)
	input := workflows.Input{ID: row.ID.String(), Timings: t.Timings}
	if _, err := t.Client.SignalWithStartWorkflow(ctx, id, workflows.SignalNudge, nil, options, kind, input); err != nil {
		return fmt.Errorf("signalling with start: %w", err)
	}
	return nil
}

// route is the workflow id, type and task queue for a driven row.
func route(row Row) (id, kind, queue string) {
	key := row.ID.String()
	switch row.Kind {
	case models.DrivenDeparture:
		return workflows.DepartureID(key), workflows.TypeDeparture, workflows.QueueCore
	case models.DrivenOperation:
		return workflows.UnlinkingID(key), workflows.TypeUnlinking, workflows.QueueCore
	case models.DrivenRetention:
		return workflows.RetentionID(key), workflows.TypeRetention, workflows.QueueCore
	case models.DrivenPurge:
		return workflows.PurgeID(key), workflows.TypePurge, workflows.QueuePurge
	case models.DrivenBatch:
		return workflows.BatchID(key), workflows.TypeBatch, workflows.QueueCore
	case models.DrivenReconciliation:
		return workflows.ReconciliationID(key), workflows.TypeReconciliation, workflows.QueueCore
	}
	panic("unknown driven kind " + string(row.Kind))
}

// errNewNamespace says that Temporal has registered the namespace and does not show it yet, which takes it
// some seconds.
var errNewNamespace = errors.New("the namespace is new")

// Prepare makes sure that the namespace, its retention and the search attributes are there, also
// after Temporal lost everything.
func (t *Temporal) Prepare(ctx context.Context) error {
	if err := t.ensureNamespace(ctx); err != nil {
		return err
	}
	operator := t.Client.OperatorService()
	known, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: t.Namespace})
	var unseen *serviceerror.NamespaceNotFound
	if errors.As(err, &unseen) {
		return errNewNamespace
	}
	if err != nil {
		return fmt.Errorf("listing search attributes: %w", err)
	}
	missing := map[string]enums.IndexedValueType{}
	for name, kind := range SearchAttributes() {
		if _, ok := known.GetCustomAttributes()[name]; !ok {
			missing[name] = kind
		}
	}
	if len(missing) == 0 {
		return t.ensureSchedule(ctx)
	}
	_, err = operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: t.Namespace, SearchAttributes: missing,
	})
	var exists *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("adding search attributes: %w", err)
	}
	return t.ensureSchedule(ctx)
}

// ensureSchedule makes sure that the comparison of systems is started when it is due, and only then. A run that is under
// way is not joined by another: the Schedule skips it while it starts one, and the facts have one at a time.
func (t *Temporal) ensureSchedule(ctx context.Context) error {
	if !t.Schedules {
		return nil
	}
	id := t.QueuePrefix + "reconciliation"
	handle := t.Client.ScheduleClient().GetHandle(ctx, id)
	found, err := handle.Describe(ctx)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		if t.Every <= 0 {
			return nil
		}
		return t.createSchedule(ctx, id)
	case err != nil:
		return fmt.Errorf("describing a schedule: %w", err)
	case t.Every <= 0:
		if err := handle.Delete(ctx); err != nil {
			return fmt.Errorf("removing a schedule: %w", err)
		}
		return nil
	}
	if spec := found.Schedule.Spec; spec != nil && len(spec.Intervals) == 1 && spec.Intervals[0] == t.interval() {
		return nil
	}
	err = handle.Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		schedule := in.Description.Schedule
		schedule.Spec = &client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{t.interval()}}
		return &client.ScheduleUpdate{Schedule: &schedule}, nil
	}})
	if err != nil {
		return fmt.Errorf("changing a schedule: %w", err)
	}
	return nil
}

func (t *Temporal) interval() client.ScheduleIntervalSpec {
	return client.ScheduleIntervalSpec{Every: t.Every, Offset: t.Offset % t.Every}
}

func (t *Temporal) createSchedule(ctx context.Context, id string) error {
	_, err := t.Client.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID:      id,
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{t.interval()}},
		Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP,
		Action: &client.ScheduleWorkflowAction{
			ID: id + "-due", Workflow: workflows.TypeReconciliationDue, TaskQueue: t.QueuePrefix + workflows.QueueCore,
			Args: []any{workflows.Input{Timings: t.Timings}},
		},
	})
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return nil // another process was first
	}
	if err != nil {
		return fmt.Errorf("making a schedule: %w", err)
	}
	return nil
}

func (t *Temporal) ensureNamespace(ctx context.Context) error {
	service := t.Client.WorkflowService()
	found, err := service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: t.Namespace})
	var missing *serviceerror.NamespaceNotFound
	switch {
	case errors.As(err, &missing):
		_, err = service.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace:                        t.Namespace,
			WorkflowExecutionRetentionPeriod: durationpb.New(NamespaceRetention),
		})
		var exists *serviceerror.NamespaceAlreadyExists
		if err != nil && !errors.As(err, &exists) {
			return fmt.Errorf("registering the namespace: %w", err)
		}
	case err != nil:
		return fmt.Errorf("describing the namespace: %w", err)
	case found.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() != NamespaceRetention:
		_, err = service.UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
			Namespace: t.Namespace,
			Config:    &namespace.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(NamespaceRetention)},
		})
		if err != nil {
			return fmt.Errorf("setting the namespace's retention: %w", err)
		}
	}
	return nil
}

// SearchAttributes are those that workflows set, by name.
func SearchAttributes() map[string]enums.IndexedValueType {
	return map[string]enums.IndexedValueType{
		workflows.AttributeDeparture.GetName(): enums.INDEXED_VALUE_TYPE_KEYWORD,
		workflows.AttributeStage.GetName():     enums.INDEXED_VALUE_TYPE_KEYWORD,
		workflows.AttributeNextWake.GetName():  enums.INDEXED_VALUE_TYPE_DATETIME,
		workflows.AttributeState.GetName():     enums.INDEXED_VALUE_TYPE_KEYWORD,
		workflows.AttributeSystem.GetName():    enums.INDEXED_VALUE_TYPE_KEYWORD_LIST,
		workflows.AttributeReason.GetName():    enums.INDEXED_VALUE_TYPE_KEYWORD_LIST,
	}
}

// RunID is the id of the newest run of a workflow, "" if there is none that Temporal knows of.
func (t *Temporal) RunID(ctx context.Context, workflowID string) (string, error) {
	d, err := t.Client.DescribeWorkflowExecution(ctx, workflowID, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("describing a workflow: %w", err)
	}
	return d.GetWorkflowExecutionInfo().GetExecution().GetRunId(), nil
}
