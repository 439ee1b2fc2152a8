// An example of a client in TypeScript: lists who is about to leave, begins a departure and follows what
// it was answered with. It is compiled, not run; the types come from the OpenAPI document.
import createClient from "openapi-fetch";
import type { components, paths } from "./lethe.js";

type Departure = components["schemas"]["DepartureView"];
type Request = components["schemas"]["ApprovalView"];
type Problem = components["schemas"]["Problem"];
type Happening = paths["/api/v1/departures/{id}/events"]["get"]["responses"][200]["content"]["text/event-stream"][number];

const client = (baseUrl: string, token: string) =>
  createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}`, "Accept-Language": "en" } });
type Client = ReturnType<typeof client>;

class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(`${problem.code}: ${problem.title}`);
  }
}

// page is a page of those who are about to leave, the earliest last working day first.
async function page(lethe: Client, cursor: string | null) {
  const { data, error } = await lethe.GET("/api/v1/departures", {
    params: { query: { stage: "pending_departure", sort: "last_working_day", ...(cursor === null ? {} : { cursor }) } },
  });
  if (error !== undefined) throw new Refused(error);
  return data;
}

// pending gives all of them, page by page.
async function* pending(lethe: Client): AsyncGenerator<Departure> {
  for (let cursor: string | null = null; ; ) {
    const { items, next_cursor }: Awaited<ReturnType<typeof page>> = await page(lethe, cursor);
    yield* items;
    if (next_cursor === null) return;
    cursor = next_cursor;
  }
}

// isRequest tells the two answers of 202 apart.
const isRequest = (answer: Departure | Request): answer is Request => "operation" in answer;

// begin begins a departure. A repeat with the same key has one effect.
async function begin(lethe: Client, employee: string, lastDay: string, key: string): Promise<string> {
  const { data, error } = await lethe.POST("/api/v1/departures", {
    params: { header: { "Idempotency-Key": key } },
    body: { employee_id: employee, kind: "resignation", last_working_day: lastDay },
  });
  if (error !== undefined) throw new Refused(error);
  if (isRequest(data)) {
    return `a second person has to agree before ${data.expires_at}: ${data.operation_text}`;
  }
  return follow(lethe, data.id);
}

// follow reads a departure again and says what it waits for.
async function follow(lethe: Client, id: string): Promise<string> {
  const { data, error } = await lethe.GET("/api/v1/departures/{id}", { params: { path: { id } } });
  if (error !== undefined) throw new Refused(error);
  const waiting: string[] = data.waiting.map((w) => w.what);
  return `${data.stage_text}, cut off at ${data.access_cutoff_at}; waits for ${waiting.join(", ") || "nothing"}`;
}

// told is what an event of a departure's stream says; its data has the type that its name says.
function told(e: Happening): string {
  if (e.event === "problem") throw new Refused(e.data);
  return `${e.event}: ${e.data.stage_text}`;
}

export { begin, client, pending, told };
