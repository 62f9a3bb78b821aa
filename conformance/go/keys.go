package main

import "time"

// Arguments, under the names that clients.py and the wire share.

type keyHash struct {
	Hash string `json:"hash"`
}

type keyFilter struct {
	WorkspaceID     *string `json:"workspace_id"`
	Offset          *int64  `json:"offset"`
	IncludeDisabled *bool   `json:"include_disabled"`
}

type newKey struct {
	Name               string             `json:"name"`
	Limit              setting[float64]   `json:"limit,omitzero"`
	LimitReset         setting[string]    `json:"limit_reset,omitzero"`
	IncludeBYOKInLimit *bool              `json:"include_byok_in_limit,omitzero"`
	ExpiresAt          setting[time.Time] `json:"expires_at,omitzero"`
	CreatorUserID      setting[string]    `json:"creator_user_id,omitzero"`
	WorkspaceID        *string            `json:"workspace_id,omitzero"`
}

type keyChange struct {
	keyHash
	keyChanges
}

type keyChanges struct {
	Name               *string          `json:"name,omitzero"`
	Disabled           *bool            `json:"disabled,omitzero"`
	Limit              setting[float64] `json:"limit,omitzero"`
	LimitReset         setting[string]  `json:"limit_reset,omitzero"`
	IncludeBYOKInLimit *bool            `json:"include_byok_in_limit,omitzero"`
}

// Answers.

type keyAnswer struct {
	Data key `json:"data"`
}

type createKeyAnswer struct {
	Data key    `json:"data"`
	Key  string `json:"key"`
}

type listKeysAnswer struct {
	Data []key `json:"data"`
}

type deleteKeyAnswer struct {
	Deleted bool `json:"deleted"`
}

type currentKeyAnswer struct {
	Data currentKeyData `json:"data"`
}

type key struct {
	Hash               string     `json:"hash"`
	Name               string     `json:"name"`
	Label              string     `json:"label"`
	Disabled           bool       `json:"disabled"`
	Limit              *float64   `json:"limit" may:"be null"`
	LimitRemaining     *float64   `json:"limit_remaining" may:"be null"`
	LimitReset         *string    `json:"limit_reset" may:"be null"`
	IncludeBYOKInLimit bool       `json:"include_byok_in_limit"`
	Usage              float64    `json:"usage"`
	UsageDaily         float64    `json:"usage_daily"`
	UsageWeekly        float64    `json:"usage_weekly"`
	UsageMonthly       float64    `json:"usage_monthly"`
	BYOKUsage          float64    `json:"byok_usage"`
	BYOKUsageDaily     float64    `json:"byok_usage_daily"`
	BYOKUsageWeekly    float64    `json:"byok_usage_weekly"`
	BYOKUsageMonthly   float64    `json:"byok_usage_monthly"`
	CreatedAt          string     `json:"created_at"`
	UpdatedAt          *string    `json:"updated_at" may:"be null"`
	ExpiresAt          *time.Time `json:"expires_at" may:"be null or absent"`
	CreatorUserID      *string    `json:"creator_user_id" may:"be null"`
	WorkspaceID        string     `json:"workspace_id"`
}

type currentKeyData struct {
	Label              string     `json:"label"`
	Limit              *float64   `json:"limit" may:"be null"`
	LimitRemaining     *float64   `json:"limit_remaining" may:"be null"`
	LimitReset         *string    `json:"limit_reset" may:"be null"`
	IncludeBYOKInLimit bool       `json:"include_byok_in_limit"`
	Usage              float64    `json:"usage"`
	UsageDaily         float64    `json:"usage_daily"`
	UsageWeekly        float64    `json:"usage_weekly"`
	UsageMonthly       float64    `json:"usage_monthly"`
	BYOKUsage          float64    `json:"byok_usage"`
	BYOKUsageDaily     float64    `json:"byok_usage_daily"`
	BYOKUsageWeekly    float64    `json:"byok_usage_weekly"`
	BYOKUsageMonthly   float64    `json:"byok_usage_monthly"`
	CreatorUserID      *string    `json:"creator_user_id" may:"be null"`
	IsFreeTier         bool       `json:"is_free_tier"`
	IsManagementKey    bool       `json:"is_management_key"`
	IsProvisioningKey  bool       `json:"is_provisioning_key"`
	ExpiresAt          *time.Time `json:"expires_at" may:"be null or absent"`
	RateLimit          rateLimit  `json:"rate_limit"`
}

type rateLimit struct {
	Requests int64  `json:"requests"`
	Interval string `json:"interval"`
	Note     string `json:"note"`
}
