// A browser that is logged in as one of the people of `make run`, whose passwords .data/dev.json has.
import { createHmac, randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium } from 'playwright-core'

/** The six digits of an authenticator (RFC 6238), as many steps ahead. */
export function totp(secret, ahead = 0) {
  const bits = [...secret.replace(/=+$/, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead))
  const mac = createHmac('sha1', key).update(step).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

export const devOf = () => JSON.parse(readFileSync(process.env.DEV, 'utf8'))

/** What the API answers to a script of somebody. */
export async function ask(dev, path, role = 'hr_admin', method = 'GET', body) {
  const headers = { Authorization: `Bearer ${dev.tokens[role]}`, 'Accept-Language': 'zh-CN', ...(body && { 'Content-Type': 'application/json' }) }
  return (await fetch(`${dev.api}/api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) })).json()
}

const taken = new Set()

/** Somebody employed whom no other test is about: each file of tests has ten numbers of its own, as CN-004. */
export async function somebody(dev, ten, fits = () => true) {
  const { items } = await ask(dev, `employees?q=${ten}&status=active&limit=200`)
  for (const person of items.sort((a, b) => a.employee_no.localeCompare(b.employee_no))) {
    if (taken.has(person.id) || !(await fits(person))) continue
    taken.add(person.id)
    return person
  }
  throw new Error(`nobody of ${ten} is free`)
}

/** A day so many days from now. */
export const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

/** Values of sensitive fields that are nowhere else: whoever meets one has met what is sealed. */
export async function sealedValues(dev) {
  const values = { emergency_contact_name: '康馨卫', emergency_contact_phone: '13977770666', home_address: '保密路七七四号' }
  const { items } = await ask(dev, 'employees?q=CN-00&status=active&limit=40')
  let kept = 0
  for (const person of items.slice(0, 6)) kept += (await ask(dev, `employees/${person.id}`, 'hr_admin', 'PATCH', { fields: values })).id === person.id
  if (kept === 0) throw new Error('nobody has a value to look for')
  return Object.values(values)
}

/** How long anything may take before it is given up: the machine may be busy with other things. */
export const PATIENCE = Number(process.env.PATIENCE ?? 90_000)

/** The browser that stack.mjs started for all files; without one, another. */
export const launch = () =>
  process.env.BROWSER
    ? chromium.connect(process.env.BROWSER)
    : chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: chromiumArguments })
export const chromiumArguments = ['--no-sandbox', '--lang=zh-CN']

/** Ends what `launch` gave. A page that is still there is one that a test failed on: what it shows is told. */
export async function leave(browser) {
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    const shows = await page.evaluate(() => [...document.querySelectorAll('[role=dialog], [role=alert], h1')].filter((e) => e.checkVisibility()).map((e) => e.innerText.trim()).filter(Boolean)).catch(() => [])
    console.log(`left at ${page.url()}: ${shows.join(' | ').slice(0, 600)}`)
    if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, `left-${Date.now()}.png`), fullPage: true }).catch(() => undefined)
  }
  await browser.close()
}

// Sessions are kept in a folder that all files of tests of one stack share. A page has one of them to itself: who confirms
// that it is oneself gets another cookie for the same session, and the one before is of no use.
const folderOf = (dev) => {
  const folder = process.env.SESSIONS ?? join(tmpdir(), `lethe-console-${new URL(dev.api).port}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}
const isFree = (dev, name) => readdirSync(folderOf(dev)).filter((file) => file.startsWith(`free ${name} `))

/** Does what one process can do only once. */
const first = (doing) => {
  try {
    doing()
    return true
  } catch (error) {
    if (!['EEXIST', 'ENOENT'].includes(error.code)) throw error
    return false
  }
}

/** A code that was not used yet, if there is one: each works once, and none after a later one; the last and the next half minute's do, too. */
function freshCode(dev, name) {
  const now = Math.floor(Date.now() / 30_000)
  const used = readdirSync(folderOf(dev)).filter((file) => file.startsWith(`step ${name} `)).map((file) => Number(file.split(' ').at(-1)))
  const step = Math.max(now - 1, ...used.map((u) => u + 1))
  if (step > now + 1 || !first(() => writeFileSync(join(folderOf(dev), `step ${name} ${step}`), '', { flag: 'wx' }))) return undefined
  return totp(dev.users[name].totp_secret, step - now)
}

async function logInAs(dev, name, code) {
  const { login, password } = dev.users[name]
  const answer = await fetch(`${dev.api}/api/v1/sessions`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ login, password, totp: code }) })
  if (!answer.ok) return undefined // somebody used a later code meanwhile
  const [cookie, value] = answer.headers.getSetCookie()[0].split(';')[0].split('=')
  return { name: cookie, value, url: dev.api }
}

/** A session of the person that nobody else has: one that is free, or another. */
export async function cookieOf(dev, name) {
  const folder = folderOf(dev)
  return until(`a session of ${name} is free`, async () => {
    for (const file of isFree(dev, name)) {
      const mine = join(folder, `taken ${process.pid} ${file}`)
      if (!first(() => renameSync(join(folder, file), mine))) continue
      const cookie = JSON.parse(readFileSync(mine, 'utf8'))
      if ((await fetch(`${dev.api}/api/v1/me`, { headers: { Cookie: `${cookie.name}=${cookie.value}` } })).ok) return cookie
    }
    const code = freshCode(dev, name)
    return code && logInAs(dev, name, code)
  })
}

/** Leaves a session to whoever needs one next. */
const free = (dev, name, cookie) => writeFileSync(join(folderOf(dev), `free ${name} ${randomUUID()}`), JSON.stringify(cookie), { mode: 0o600 })

/** A session of everybody, and as many as can be had at once of those whom most tests are about. */
export async function logInEverybody(dev) {
  await Promise.all(
    Object.keys(dev.users).map(async (name) => {
      for (let left = ['hr_admin', 'reviewer'].includes(name) ? 3 : 1; left > 0; left--) {
        const code = freshCode(dev, name)
        const cookie = code && (await logInAs(dev, name, code))
        if (cookie) free(dev, name, cookie)
      }
    }),
  )
}

/** A page of a logged-in person; without a name, of somebody who has yet to log in. */
export async function pageOf(browser, dev, name, { language = 'zh', width = 1440, height = 900, base = dev.api, asked = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale: language === 'zh' ? 'zh-CN' : 'en-GB', timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
  context.setDefaultTimeout(PATIENCE)
  await context.addInitScript((l) => localStorage.setItem('lethe.language', l), language)
  if (name) {
    const cookie = await cookieOf(dev, name)
    await context.addCookies([{ ...cookie, url: base }])
    const close = context.close.bind(context)
    context.close = async () => {
      const now = (await context.cookies(base)).find((c) => c.name === cookie.name)
      await close()
      if (now) free(dev, name, { name: now.name, value: now.value, url: dev.api })
    }
    if (!asked) {
      // What the privacy policy asks at the login was put off, as people may.
      const me = await (await fetch(`${dev.api}/api/v1/me`, { headers: { Cookie: `${cookie.name}=${cookie.value}` } })).json()
      await context.addInitScript((at) => sessionStorage.setItem('lethe.consents.later', at), me.session.created_at)
    }
  }
  return context.newPage()
}

/**
 * That something took less than so many seconds. Where more wants to run than there are processors, everything takes as
 * many times longer.
 */
export function within(seconds, what, began) {
  const [took, slower] = [(Date.now() - began) / 1000, Math.max(1, loadavg()[0] / availableParallelism())]
  console.log(`${what}: ${took.toFixed(1)} s${slower > 1 ? `, on a machine ${slower.toFixed(1)} times as busy as it can be` : ''}`)
  if (took >= seconds * slower) throw new Error(`${what}: ${took} s`)
}

/** Waits until something is so. */
export async function until(what, holds) {
  for (const end = Date.now() + PATIENCE; ; await sleep(100)) {
    const answer = await holds()
    if (answer) return answer
    if (Date.now() > end) throw new Error(`not within ${PATIENCE / 1000} s: ${what}`)
  }
}

/** Confirms that it is oneself, by the password, if that is asked for before `done` is there. */
export async function confirming(page, dev, user, done) {
  const dialog = page.getByRole('dialog', { name: /请确认是您本人|confirm that it is you/ })
  await dialog.or(done).first().waitFor()
  if (await dialog.isVisible()) {
    await dialog.getByText(/^(密码|Password)$/).click()
    await dialog.locator('input[type=password]').fill(dev.users[user].password)
    await dialog.getByRole('button', { name: /^(确\s?认|Confirm)$/ }).click()
  }
  await done.waitFor()
}

/** Agrees to a request, as the second person. */
export async function approve(browser, dev, base, user, address) {
  const page = await pageOf(browser, dev, user, { base })
  await page.goto(base + address)
  await page.getByRole('button', { name: '同意并执行' }).click()
  await confirming(page, dev, user, page.getByText('已同意，并已执行').first())
  await page.context().close()
}

/** Logs in by the form, on its page or where a dialog asks for it. */
export async function logIn(page, dev, user, form) {
  const { login, password } = dev.users[user]
  await form.getByLabel('登录名').fill(login)
  await form.locator('input[type=password]').fill(password)
  await form.getByLabel('身份验证器上的 6 位数字').fill(await until(`${user} has a code`, () => freshCode(dev, user)))
  await form.getByRole('button', { name: /^登\s?录$/ }).click()
}

const crcs = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1
  return n
})

function crc(bytes) {
  let c = ~0
  for (const b of bytes) c = crcs[(c ^ b) & 255] ^ (c >>> 8)
  return ~c >>> 0
}

/** A workbook with rows of texts, as large as is wanted: it carries a picture that nobody reads. */
export function workbook(rows, size) {
  const xml = (text) => Buffer.from(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>${text}`)
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
  const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
  const parts = {
    '[Content_Types].xml': xml(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`),
    '_rels/.rels': xml(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="${office}/officeDocument" Target="xl/workbook.xml"/></Relationships>`),
    'xl/workbook.xml': xml(`<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="people" sheetId="1" r:id="rId1"/></sheets></workbook>`),
    'xl/_rels/workbook.xml.rels': xml(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="${office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`),
    'xl/worksheets/sheet1.xml': xml(`<worksheet xmlns="${main}"><sheetData>${rows.map((cells, r) => `<row r="${r + 1}">${cells.map((text, c) => `<c r="${String.fromCharCode(65 + c)}${r + 1}" t="inlineStr"><is><t>${text}</t></is></c>`).join('')}</row>`).join('')}</sheetData></worksheet>`),
    'xl/media/image1.png': Buffer.alloc(size, 7),
  }
  const local = []
  const central = []
  let offset = 0
  for (const [name, content] of Object.entries(parts)) {
    const head = Buffer.alloc(26)
    head.writeUInt16LE(20, 0)
    head.writeUInt16LE(33, 8) // 1 January 1980
    head.writeUInt32LE(crc(content), 10)
    head.writeUInt32LE(content.length, 14)
    head.writeUInt32LE(content.length, 18)
    head.writeUInt16LE(name.length, 22)
    local.push(Buffer.from('PK\u0003\u0004', 'latin1'), head, Buffer.from(name), content)
    const entry = Buffer.alloc(42)
    entry.writeUInt16LE(20, 0)
    head.copy(entry, 2)
    entry.writeUInt32LE(offset, 38)
    central.push(Buffer.from('PK\u0001\u0002', 'latin1'), entry, Buffer.from(name))
    offset += 4 + head.length + name.length + content.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(Object.keys(parts).length, 4)
  end.writeUInt16LE(Object.keys(parts).length, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...local, directory, Buffer.from('PK\u0005\u0006', 'latin1'), end])
}
