package main

type chatRequest struct {
	Model     *string        `json:"model,omitzero"`
	Messages  []message      `json:"messages"`
	MaxTokens setting[int64] `json:"max_tokens,omitzero"`
	Stream    *bool          `json:"stream,omitzero"`
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type chatResult struct {
	ID                string       `json:"id"`
	Object            string       `json:"object" is:"chat.completion"`
	Created           int64        `json:"created"`
	Model             string       `json:"model"`
	SystemFingerprint *string      `json:"system_fingerprint" may:"be null"`
	ServiceTier       *string      `json:"service_tier" may:"be null or absent"`
	Choices           []chatChoice `json:"choices"`
	Usage             *chatUsage   `json:"usage" may:"be absent"`
}

type chatChoice struct {
	Index        int64         `json:"index"`
	FinishReason *string       `json:"finish_reason" may:"be null"`
	Logprobs     *any          `json:"logprobs" may:"be null or absent"`
	Message      chatAssistant `json:"message"`
}

type chatAssistant struct {
	Role      string  `json:"role" is:"assistant"`
	Content   *any    `json:"content" may:"be null or absent"`
	Refusal   *string `json:"refusal" may:"be null or absent"`
	Reasoning *string `json:"reasoning" may:"be null or absent"`
	ToolCalls *[]any  `json:"tool_calls" may:"be absent"`
}

type chatChunk struct {
	ID                string             `json:"id"`
	Object            string             `json:"object" is:"chat.completion.chunk"`
	Created           int64              `json:"created"`
	Model             string             `json:"model"`
	SystemFingerprint *string            `json:"system_fingerprint" may:"be absent"`
	ServiceTier       *string            `json:"service_tier" may:"be null or absent"`
	Choices           []chatStreamChoice `json:"choices"`
	Error             *chatStreamError   `json:"error" may:"be absent"`
	Usage             *chatUsage         `json:"usage" may:"be absent"`
}

type chatStreamChoice struct {
	Index        int64           `json:"index"`
	FinishReason *string         `json:"finish_reason" may:"be null"`
	Logprobs     *any            `json:"logprobs" may:"be null or absent"`
	Delta        chatStreamDelta `json:"delta"`
}

type chatStreamDelta struct {
	Role      *string `json:"role" may:"be absent" is:"assistant"`
	Content   *string `json:"content" may:"be null or absent"`
	Refusal   *string `json:"refusal" may:"be null or absent"`
	Reasoning *string `json:"reasoning" may:"be null or absent"`
	ToolCalls *[]any  `json:"tool_calls" may:"be absent"`
}

type chatStreamError struct {
	Code    int64  `json:"code"`
	Message string `json:"message"`
}

type chatUsage struct {
	PromptTokens            int64              `json:"prompt_tokens"`
	CompletionTokens        int64              `json:"completion_tokens"`
	TotalTokens             int64              `json:"total_tokens"`
	Cost                    *float64           `json:"cost" may:"be null or absent"`
	CostDetails             *costDetails       `json:"cost_details" may:"be null or absent"`
	IsBYOK                  *bool              `json:"is_byok" may:"be absent"`
	PromptTokensDetails     *promptDetails     `json:"prompt_tokens_details" may:"be null or absent"`
	CompletionTokensDetails *completionDetails `json:"completion_tokens_details" may:"be null or absent"`
}

type costDetails struct {
	UpstreamInferenceCost            *float64 `json:"upstream_inference_cost" may:"be null or absent"`
	UpstreamInferencePromptCost      float64  `json:"upstream_inference_prompt_cost"`
	UpstreamInferenceCompletionsCost float64  `json:"upstream_inference_completions_cost"`
}

type promptDetails struct {
	CachedTokens     *int64 `json:"cached_tokens" may:"be absent"`
	CacheWriteTokens *int64 `json:"cache_write_tokens" may:"be absent"`
	AudioTokens      *int64 `json:"audio_tokens" may:"be absent"`
	VideoTokens      *int64 `json:"video_tokens" may:"be absent"`
}

type completionDetails struct {
	ReasoningTokens          *int64 `json:"reasoning_tokens" may:"be null or absent"`
	AudioTokens              *int64 `json:"audio_tokens" may:"be null or absent"`
	AcceptedPredictionTokens *int64 `json:"accepted_prediction_tokens" may:"be null or absent"`
	RejectedPredictionTokens *int64 `json:"rejected_prediction_tokens" may:"be null or absent"`
}
