package httpkit_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"lethe/api/httpkit"
	"lethe/internal/identity"
)

type greetingInput struct {
	httpkit.Speaking
	Name string `path:"name" maxLength:"20"`
}

type greeting struct {
	Text string `json:"text"`
}

func greet(_ context.Context, in *greetingInput) (*httpkit.Answer[greeting], error) {
	return &httpkit.Answer[greeting]{Body: greeting{Text: "hello " + in.Name + " in " + string(in.Language())}}, nil
}

// A route is declared once, beside its handler: what serves it, who is let in and its part of the document follow.
func ExampleHandle() {
	api := httpkit.New(httpkit.Options{Identity: identity.New(nil, nil, identity.Options{}), Log: slog.New(slog.DiscardHandler)})
	greetings := api.Resource("Greetings", "")
	httpkit.Handle(greetings, httpkit.Route{At: "GET /greetings/{name}", Summary: "Greet somebody", To: httpkit.Everyone, Open: true}, greet)
	httpkit.Handle(greetings, httpkit.Route{At: "GET /staff-greetings/{name}", Summary: "Greet for the staff", To: httpkit.Staff}, greet)
	for _, path := range []string{"/greetings/ann", "/staff-greetings/ann", "/greetings/ann?colour=red"} {
		request := httptest.NewRequest(http.MethodGet, httpkit.Base+path, nil)
		request.Header.Set("Accept-Language", "en")
		answer := httptest.NewRecorder()
		api.Router.ServeHTTP(answer, request)
		fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	}
	fmt.Println(api.Huma.OpenAPI().Paths[httpkit.Base+"/greetings/{name}"].Get.OperationID)
	// Output:
	// 200 application/json
	// 401 application/problem+json
	// 422 application/problem+json
	// get-greetings-name
}
