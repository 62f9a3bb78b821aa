package main

import "errors"

// failure is what a call ended with, in the form that clients.py compares.
type failure struct {
	Kind    string `json:"kind"`
	Status  int    `json:"status,omitempty"`
	Message string `json:"message"`
}

func (failure *failure) Error() string { return failure.Message }

// asFailure tells an answer that could not be read from one that was refused.
func asFailure(err error) *failure {
	var refused *failure
	if errors.As(err, &refused) {
		return refused
	}
	return &failure{Kind: "unreadable", Message: err.Error()}
}

// What the error of each status is called.
var errorNames = map[int]string{
	400: "BadRequestResponseError",
	401: "UnauthorizedResponseError",
	402: "PaymentRequiredResponseError",
	403: "ForbiddenResponseError",
	404: "NotFoundResponseError",
	408: "RequestTimeoutResponseError",
	413: "PayloadTooLargeResponseError",
	422: "UnprocessableEntityResponseError",
	429: "TooManyRequestsResponseError",
	500: "InternalServerResponseError",
	502: "BadGatewayResponseError",
	503: "ServiceUnavailableResponseError",
	524: "EdgeNetworkTimeoutResponseError",
	529: "ProviderOverloadedResponseError",
}

// Every error's body: `code` is an integer, or the body is no error at all.
type errorBody struct {
	Error struct {
		Code     int64           `json:"code"`
		Message  string          `json:"message"`
		Metadata *map[string]any `json:"metadata" may:"be null or absent"`
	} `json:"error"`
	UserID *string `json:"user_id" may:"be null or absent"`
}
