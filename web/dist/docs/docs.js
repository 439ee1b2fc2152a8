// Shows /openapi.json and tries its calls out, with the console's session of this browser or with a token. A token is
// kept in the memory of the page alone.
'use strict'

const zh = navigator.language.toLowerCase().startsWith('zh')

/** Whose session the browser has when the page is opened: nothing is sent in another's name, who logs in meanwhile. */
async function whose() {
  const answer = await fetch('/api/v1/me')
  return answer.ok ? answer.json() : undefined
}

function tell(me) {
  const line = document.createElement('p')
  line.className = 'session'
  const console = document.createElement('a')
  console.href = '/console/'
  console.textContent = zh ? '打开操作界面' : 'Open the console'
  const text = me
    ? zh
      ? `“Try it out”会真的执行，以您的身份：${me.name}（${me.role_text}）。要用令牌，请点 Authorize 填 bearer。`
      : `“Try it out” does what it says, in your name: ${me.name} (${me.role_text}). To use a token, press Authorize and fill in bearer.`
    : zh
      ? '要试着调用，请先在操作界面登录再重新载入，或点 Authorize 填令牌（bearer）。'
      : 'To try calls out, log in to the console and load this page again, or press Authorize and fill in a token (bearer).'
  line.append(text, ' ', console)
  document.querySelector('#docs').before(line)
}

function show(me) {
  SwaggerUIBundle({
    url: '/openapi.json',
    dom_id: '#docs',
    deepLinking: true,
    docExpansion: 'none',
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    persistAuthorization: false,
    validatorUrl: null,
    requestInterceptor(request) {
      // Another address is never asked, whatever a description says.
      if (new URL(request.url, location.href).origin !== location.origin) throw new Error('another origin')
      const has = (name) => Object.keys(request.headers).some((h) => h.toLowerCase() === name)
      if (has('authorization')) {
        // Either a token or a session, never both.
        request.credentials = 'omit'
      } else {
        request.credentials = 'same-origin'
        if (me) request.headers['Lethe-Person'] = `${me.employee_id}/${me.role}`
      }
      if (request.method === 'POST' && !has('idempotency-key')) request.headers['Idempotency-Key'] = crypto.randomUUID()
      return request
    },
  })
}

whose()
  .catch(() => undefined)
  .then((me) => {
    tell(me)
    show(me)
  })
