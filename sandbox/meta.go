package sandbox

import (
	"net/http"

	"lethe/internal/scim"
	"lethe/sandbox/control"
)

// fixed answers with a constant document.
func (s *System) fixed(w http.ResponseWriter, r *http.Request, body any) {
	if x, ok := s.begin(w, r, control.OpConfig, nil); ok {
		x.send(answer{status: http.StatusOK, body: body})
	}
}

func (s *System) serviceProviderConfig(w http.ResponseWriter, r *http.Request) {
	no := map[string]any{"supported": false}
	s.fixed(w, r, map[string]any{
		"schemas":        []string{scim.ConfigSchema},
		"patch":          map[string]any{"supported": true},
		"bulk":           map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":         map[string]any{"supported": true, "maxResults": s.opts.MaxPage},
		"changePassword": no, "sort": no, "etag": no,
		"authenticationSchemes": []any{map[string]any{
			"type": "oauthbearertoken", "name": "Bearer token", "description": "A fixed bearer token",
		}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": "/scim/v2/ServiceProviderConfig"},
	})
}

// all is a list of these.
func all(resources ...any) any {
	list, _ := scim.Page(nil, resources, len(resources), func(r any) any { return r })
	return list
}

func (s *System) resourceTypes(w http.ResponseWriter, r *http.Request) {
	kind := func(name, endpoint, schema string, extensions ...any) any {
		return map[string]any{
			"schemas": []string{scim.ResourceTypeSchema},
			"id":      name, "name": name, "endpoint": endpoint, "schema": schema, "schemaExtensions": extensions,
			"meta": map[string]any{"resourceType": "ResourceType", "location": "/scim/v2/ResourceTypes/" + name},
		}
	}
	extension := func(schema string) any { return map[string]any{"schema": schema, "required": false} }
	s.fixed(w, r, all(
		kind("User", "/Users", scim.UserSchema, extension(scim.EnterpriseSchema), extension(scim.AccessSchema)),
		kind("Group", "/Groups", scim.GroupSchema),
	))
}

// attribute describes one attribute as RFC 7643 section 7 has it.
func attribute(name, kind string, multi bool, mutability string, sub ...any) map[string]any {
	a := map[string]any{
		"name": name, "type": kind, "multiValued": multi, "required": name == "userName" || name == "displayName",
		"caseExact": name != "userName" && name != "employeeNumber", "mutability": mutability, "returned": "default", "uniqueness": "none",
	}
	if name == "userName" {
		a["uniqueness"] = "server"
	}
	if len(sub) > 0 {
		a["subAttributes"] = sub
	}
	return a
}

func (s *System) schemas(w http.ResponseWriter, r *http.Request) {
	schema := func(id, name string, attributes ...any) any {
		return map[string]any{
			"schemas": []string{scim.SchemaSchema},
			"id":      id, "name": name, "attributes": attributes,
			"meta": map[string]any{"resourceType": "Schema", "location": "/scim/v2/Schemas/" + id},
		}
	}
	value := attribute("value", "string", false, "readWrite")
	s.fixed(w, r, all(
		schema(scim.UserSchema, "User",
			attribute("userName", "string", false, "readWrite"),
			attribute("externalId", "string", false, "readWrite"),
			attribute("active", "boolean", false, "readWrite"),
			attribute("emails", "complex", true, "readWrite", value),
			attribute("groups", "complex", true, "readOnly", value)),
		schema(scim.EnterpriseSchema, "EnterpriseUser", attribute("employeeNumber", "string", false, "readWrite")),
		schema(scim.AccessSchema, "Access",
			attribute("sessions", "integer", false, "readOnly"),
			attribute("tokens", "integer", false, "readOnly")),
		schema(scim.GroupSchema, "Group",
			attribute("displayName", "string", false, "readWrite"),
			attribute("members", "complex", true, "readWrite", value)),
	))
}
