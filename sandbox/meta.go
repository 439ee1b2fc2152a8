package sandbox

import (
	"net/http"

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
		"schemas":        []string{schemaConfig},
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

func list(resources ...any) any {
	return map[string]any{
		"schemas": []string{schemaList}, "totalResults": len(resources), "startIndex": 1,
		"itemsPerPage": len(resources), "Resources": resources,
	}
}

func (s *System) resourceTypes(w http.ResponseWriter, r *http.Request) {
	kind := func(name, endpoint, schema string, extensions ...any) any {
		return map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"},
			"id":      name, "name": name, "endpoint": endpoint, "schema": schema, "schemaExtensions": extensions,
			"meta": map[string]any{"resourceType": "ResourceType", "location": "/scim/v2/ResourceTypes/" + name},
		}
	}
	extension := func(schema string) any { return map[string]any{"schema": schema, "required": false} }
	s.fixed(w, r, list(
		kind("User", "/Users", schemaUser, extension(schemaEnterprise), extension(schemaAccess)),
		kind("Group", "/Groups", schemaGroup),
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
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"},
			"id":      id, "name": name, "attributes": attributes,
			"meta": map[string]any{"resourceType": "Schema", "location": "/scim/v2/Schemas/" + id},
		}
	}
	value := attribute("value", "string", false, "readWrite")
	s.fixed(w, r, list(
		schema(schemaUser, "User",
			attribute("userName", "string", false, "readWrite"),
			attribute("externalId", "string", false, "readWrite"),
			attribute("active", "boolean", false, "readWrite"),
			attribute("emails", "complex", true, "readWrite", value),
			attribute("groups", "complex", true, "readOnly", value)),
		schema(schemaEnterprise, "EnterpriseUser", attribute("employeeNumber", "string", false, "readWrite")),
		schema(schemaAccess, "Access",
			attribute("sessions", "integer", false, "readOnly"),
			attribute("tokens", "integer", false, "readOnly")),
		schema(schemaGroup, "Group",
			attribute("displayName", "string", false, "readWrite"),
			attribute("members", "complex", true, "readWrite", value)),
	))
}
