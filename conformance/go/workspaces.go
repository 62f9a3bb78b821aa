package main

import "encoding/json"

// Arguments, under the names that clients.py and the wire share.

type workspaceID struct {
	ID string `json:"id"`
}

type workspaceRef struct {
	WorkspaceRef string `json:"workspace_ref"`
}

type newWorkspace struct {
	Name string `json:"name"`
	Slug string `json:"slug"`
	workspaceSettings
}

type workspaceChange struct {
	workspaceID
	workspaceChanges
}

type workspaceChanges struct {
	Name *string `json:"name,omitzero"`
	Slug *string `json:"slug,omitzero"`
	workspaceSettings
}

type workspaceSettings struct {
	Description         setting[string] `json:"description,omitzero"`
	DefaultTextModel    setting[string] `json:"default_text_model,omitzero"`
	DefaultImageModel   setting[string] `json:"default_image_model,omitzero"`
	DefaultProviderSort setting[string] `json:"default_provider_sort,omitzero"`
}

type budgetName struct {
	workspaceRef
	Interval string `json:"interval"`
}

type newBudget struct {
	budgetName
	budgetSettings
}

type budgetSettings struct {
	LimitUSD             json.Number `json:"limit_usd"`
	IncludeBYOKInBudgets *bool       `json:"include_byok_in_budgets,omitzero"`
}

type memberFilter struct {
	workspaceID
	pageFilter
}

type memberChange struct {
	workspaceID
	memberIDs
}

type memberIDs struct {
	UserIDs []string `json:"user_ids"`
}

func (name budgetName) request() request {
	return request{named: name.WorkspaceRef, interval: name.Interval}
}

func (change memberChange) request() request {
	return request{named: change.ID, body: change.memberIDs}
}

// Answers.

type workspaceAnswer struct {
	Data workspace `json:"data"`
}

type deleteWorkspaceAnswer struct {
	Deleted bool `json:"deleted"`
}

type workspace struct {
	ID                              string   `json:"id"`
	Name                            string   `json:"name"`
	Slug                            string   `json:"slug"`
	Description                     *string  `json:"description" may:"be null"`
	DefaultTextModel                *string  `json:"default_text_model" may:"be null"`
	DefaultImageModel               *string  `json:"default_image_model" may:"be null"`
	DefaultProviderSort             *string  `json:"default_provider_sort" may:"be null"`
	DefaultGuardrailID              string   `json:"default_guardrail_id"`
	IsObservabilityIoLoggingEnabled bool     `json:"is_observability_io_logging_enabled"`
	IsObservabilityBroadcastEnabled bool     `json:"is_observability_broadcast_enabled"`
	IsDataDiscountLoggingEnabled    bool     `json:"is_data_discount_logging_enabled"`
	IoLoggingSamplingRate           float64  `json:"io_logging_sampling_rate"`
	IoLoggingAPIKeyIds              *[]int64 `json:"io_logging_api_key_ids" may:"be null"`
	CreatedAt                       string   `json:"created_at"`
	UpdatedAt                       *string  `json:"updated_at" may:"be null"`
	CreatedBy                       *string  `json:"created_by" may:"be null"`
}

type budgetAnswer struct {
	Data                 budget `json:"data"`
	IncludeBYOKInBudgets bool   `json:"include_byok_in_budgets"`
}

type listBudgetsAnswer struct {
	Data                 []budget `json:"data"`
	IncludeBYOKInBudgets bool     `json:"include_byok_in_budgets"`
}

type deleteBudgetAnswer struct {
	Deleted bool `json:"deleted"`
}

type budget struct {
	ID            string  `json:"id"`
	WorkspaceID   string  `json:"workspace_id"`
	LimitUSD      float64 `json:"limit_usd"`
	ResetInterval *string `json:"reset_interval" may:"be null"`
	CreatedAt     string  `json:"created_at"`
	UpdatedAt     string  `json:"updated_at"`
}

type workspaceMember struct {
	ID          string `json:"id"`
	WorkspaceID string `json:"workspace_id"`
	UserID      string `json:"user_id"`
	Role        string `json:"role"`
	CreatedAt   string `json:"created_at"`
}

type addMembersAnswer struct {
	Data       []workspaceMember `json:"data"`
	AddedCount int64             `json:"added_count"`
}

type removeMembersAnswer struct {
	RemovedCount int64 `json:"removed_count"`
}

type organizationMember struct {
	ID        string  `json:"id"`
	Email     string  `json:"email"`
	FirstName *string `json:"first_name" may:"be null"`
	LastName  *string `json:"last_name" may:"be null"`
	Role      string  `json:"role"`
}
