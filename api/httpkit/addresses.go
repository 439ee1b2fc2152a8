package httpkit

import (
	"strings"

	"github.com/google/uuid"

	"lethe/models"
)

// paths are where the rows are that domains name, below /api/v1.
var paths = map[string]string{
	models.RefApproval: "/approvals/", models.RefAttachment: "/attachments/", models.RefCatalogue: "/field-catalogue", models.RefCut: "/access-cuts/", models.RefCase: "/support-cases/", models.RefDeparture: "/departures/", models.RefDepartures: "/departure-batches/", models.RefDuty: "/duty-shifts/", models.RefEmergency: "/emergency-calls/", models.RefEmployee: "/employees/",
	models.RefExport: "/query-log/exports/", models.RefDepartment: "/departments/", models.RefEntity: "/legal-entities/", models.RefFeedback: "/feedback/", models.RefHold: "/holds/", models.RefImport: "/employee-imports/", models.RefMessage: "/messages/", models.RefPermission: "/permissions", models.RefPolicy: "/privacy-policies", models.RefDisclosure: "/disclosures/", models.RefPurge: "/purges/", models.RefReconcile: "/reconciliations/", models.RefSite: "/sites/", models.RefSubject: "/subject-requests/", models.RefSuccession: "/successions/", models.RefRelinking: "/account-relinkings/",
	models.RefSession: "/sessions/", models.RefToken: "/tokens/", models.RefUnlinking: "/account-unlinkings/", models.RefUser: "/users/",
}

// AddressOf is where a row is.
func AddressOf(kind string, id uuid.UUID) string {
	if path := paths[kind]; !strings.HasSuffix(path, "/") {
		return Base + path // there is one only
	}
	return Base + paths[kind] + id.String()
}

// ResultAddress is where what a request led to is; empty if it led to nothing.
func ResultAddress(stored string) string {
	r, err := models.ParseRef(stored)
	if err != nil || strings.HasPrefix(stored, "/") {
		return stored // an address, as version 0.2 stored it
	}
	return AddressOf(r.Kind, r.ID)
}
