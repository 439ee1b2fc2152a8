// An auditor asks whether everybody who left is out, takes the answer away, and checks the file against the ledger without asking us.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { inflateRawSync } from 'node:zlib'

import { ask, launch, pageOf } from './session.mjs'

const dev = JSON.parse(readFileSync(process.env.DEV, 'utf8'))
const base = process.env.BASE ?? dev.api
const lethe = resolve(import.meta.dirname, '../../bin/lethe')
let browser, folder
before(async () => {
  browser = await launch()
  folder = mkdtempSync(join(tmpdir(), 'lethe-leavers-'))
})
after(async () => {
  await browser.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The members of a zip file, by their names. */
function members(zip) {
  const all = {}
  let at = zip.readUInt32LE(zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1')) + 16)
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const [method, size, name, extra, comment, begin] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32), zip.readUInt32LE(at + 42)]
    const data = begin + 30 + zip.readUInt16LE(begin + 26) + zip.readUInt16LE(begin + 28)
    const packed = zip.subarray(data, data + size)
    all[zip.toString('utf8', at + 46, at + 46 + name)] = method === 8 ? inflateRawSync(packed) : packed
    at += 46 + name + extra + comment
  }
  return all
}

async function until(what, done) {
  for (let i = 0; i < 120; i++) {
    const found = await what()
    if (done(found)) return found
    await new Promise((next) => setTimeout(next, 500))
  }
  throw new Error('it did not come')
}

test('everybody who left is in the report, and its file is proven', async () => {
  const people = (await ask(dev, 'employees?status=active&limit=200')).items.filter((p) => p.employee_no.startsWith('E'))
  const leaver = people.at(-1) ?? (await ask(dev, 'employees?status=active&limit=200')).items.at(-1)
  const begun = await ask(dev, 'departures', 'hr_admin', 'POST', { employee_id: leaver.id, kind: 'resignation', immediate: true })
  await until(() => ask(dev, `departures/${begun.id}`), (d) => d.accounts_state === 'settled')

  const page = await pageOf(browser, dev, 'auditor', { base })
  await page.goto(`${base}/console/reports/leavers`)
  await page.getByRole('heading', { name: '离职人员核查' }).waitFor()
  await page.getByText(leaver.name).first().waitFor()
  await page.getByText('人次离职').first().waitFor()
  await page.getByRole('button', { name: '导出报告' }).click()
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('dialog').getByRole('button', { name: /导\s?出/ }).click()])
  const taken = join(folder, 'report.zip')
  await file.saveAs(taken)
  const files = members(readFileSync(taken))
  const name = Object.keys(files).find((n) => n.endsWith('.csv'))
  assert.match(files[name].toString('utf8'), new RegExp(leaver.employee_no))
  assert.ok(files['README.txt'].toString('utf8').includes(createHash('sha256').update(files[name]).digest('hex')))
  writeFileSync(join(folder, 'report.csv'), files[name])
  writeFileSync(join(folder, 'changed.csv'), Buffer.concat([files[name], Buffer.from('x')]))
  await page.context().close()

  const asked = await ask(dev, 'query-log/exports', 'auditor', 'POST', { filters: { action: 'report.leavers_exported' }, reason: '年度审计' })
  await until(() => ask(dev, `query-log/exports/${asked.id}`, 'auditor'), (x) => x.state === 'done')
  const pack = join(folder, 'pack.zip')
  const answer = await fetch(`${dev.api}/api/v1/query-log/exports/${asked.id}/file`, { headers: { Authorization: `Bearer ${dev.tokens.auditor}` } })
  writeFileSync(pack, Buffer.from(await answer.arrayBuffer()))
  const verify = (report) => execFileSync(lethe, ['ledger', 'verify-export', pack, '--policy', dev.ledger_policy_file, '--lang=en', '--report', join(folder, report)], { encoding: 'utf8', stdio: 'pipe' })
  assert.match(verify('report.csv'), /as exported/)
  assert.throws(() => verify('changed.csv'))
})
