// Everything that `make run` starts, in a folder and on ports of its own, a browser, and sessions of its people;
// then the command that is given, with DEV naming the file that says where it all is. Tests that run side by side share
// all of it. One file: node e2e/stack.mjs node --test e2e/scene.test.mjs
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium } from 'playwright-core'


const root = resolve(import.meta.dirname, '../..')
const settings = [
  'LETHE_POSTGRES_PORT', 'LETHE_TEMPORAL_PORT', 'LETHE_TEMPORAL_UI_PORT', 'LETHE_WORKER_OPS_PORT', 'LETHE_SANDBOX_MAIL_PORT',
  'LETHE_SANDBOX_FINANCE_PORT', 'LETHE_SANDBOX_ATTENDANCE_PORT', 'LETHE_SANDBOX_INBOX_PORT', 'LETHE_SANDBOX_SMTP_PORT', 'LETHE_LISTEN', 'LETHE_OPS_LISTEN',
]

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => new Promise((done) => {
      const server = createServer().listen(0, '127.0.0.1', () => done(server))
    })),
  )
  const ports = servers.map((s) => s.address().port)
  await Promise.all(servers.map((s) => new Promise((done) => s.close(done))))
  return ports
}

// In memory where there is room for a database: containers mostly have 64 MiB.
const roomy = existsSync('/dev/shm') && statfsSync('/dev/shm').bavail * statfsSync('/dev/shm').bsize > 2e9
const folder = mkdtempSync(join(roomy ? '/dev/shm' : tmpdir(), 'lethe-console-'))
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(LETHE_|DATABASE_URL$|TEMPORAL_ADDRESS$)/.test(name)))
const ports = await freePorts(settings.length)
settings.forEach((name, i) => (environment[name] = name.endsWith('LISTEN') ? `127.0.0.1:${ports[i]}` : String(ports[i])))
Object.assign(environment, { LETHE_DATA_DIR: join(folder, 'data'), LETHE_TEMPORAL_BINARY: join(root, 'bin', 'temporal') })

process.env.SESSIONS = join(folder, 'sessions')
const { chromiumArguments, devOf, logInEverybody } = await import('./session.mjs')
const browsing = chromium.launchServer({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: chromiumArguments })
let said = ''
// What waits waits shorter than where people look on: what is stuck is a case after half a minute.
// Departures of a file begin slowly enough to be paused, and a file of few is one that a reviewer releases.
const quick = { LETHE_ACTIVITY_RETRY_MAX: '3s', LETHE_ACCEPTED_CHECK: '1s', LETHE_RELAY_POLL: '300ms', LETHE_BATCH_RATE: '25', LETHE_BATCH_LIMIT: '2' }
const lethe = spawn(join(root, 'bin', 'lethe'), ['dev'], { cwd: folder, env: { ...environment, ...quick }, stdio: ['ignore', 'pipe', 'pipe'] })
for (const stream of [lethe.stdout, lethe.stderr]) stream.on('data', (text) => (said = (said + text).slice(-20_000)))
const gone = new Promise((done) => lethe.on('exit', done))

async function end(code) {
  lethe.kill('SIGINT')
  await browsing.then((browser) => browser.close()).catch(() => undefined)
  await Promise.race([gone, new Promise((later) => setTimeout(later, 30_000))])
  lethe.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
  process.exit(code)
}
process.on('SIGINT', () => void end(130))
process.on('SIGTERM', () => void end(143))

const dev = join(folder, 'data', 'dev.json')
const until = Date.now() + 180_000
while (!existsSync(dev)) {
  if (lethe.exitCode !== null || Date.now() > until) {
    console.error(`lethe dev did not start:\n${said}`)
    await end(1)
  }
  await new Promise((later) => setTimeout(later, 200))
}
process.env.DEV = dev
try {
  environment.BROWSER = (await browsing).wsEndpoint()
  await logInEverybody(devOf())
} catch (error) {
  console.error(error)
  await end(1)
}
console.log(`everything runs after ${((performance.now()) / 1000).toFixed(0)} s`)
const [command, ...args] = process.argv.slice(2)
const run = spawn(command, args, { env: { ...environment, DEV: dev, SESSIONS: process.env.SESSIONS }, stdio: 'inherit' })
run.on('exit', (code) => void end(code ?? 1))
