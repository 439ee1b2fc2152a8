// The auditor searches the query log in the browser, exports what was found, and verifies the pack without asking us.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'

import { confirming, devOf, launch, leave, logIn, pageOf } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
const lethe = resolve(import.meta.dirname, '../../bin/lethe')
let browser, folder
before(async () => {
  browser = await launch()
  folder = mkdtempSync(join(tmpdir(), 'lethe-audit-'))
})
after(async () => {
  await leave(browser)
  rmSync(folder, { recursive: true, force: true })
})

test('a search is exported, and the pack verified', async () => {
  const page = await pageOf(browser, dev, undefined, { base })
  await page.goto(`${base}/console/log`)
  await logIn(page, dev, 'auditor', page) // and is where one wanted to be
  await page.getByRole('button', { name: '以后再说' }).click() // the consents that the policy asks for
  await page.getByRole('button', { name: /^查\s?询$/ }).click()
  await page.getByText('完好').first().waitFor()
  await page.getByText('本次查询已登记').first().waitFor()
  await page.getByRole('button', { name: '导出证据' }).first().click()
  await page.getByLabel('导出原因').fill('年度审计')
  await page.getByRole('button', { name: '开始导出' }).click()
  const download = page.getByRole('button', { name: '下载证据包' }).or(page.getByRole('link', { name: '下载证据包' })).first()
  await confirming(page, dev, 'auditor', download)
  const [file] = await Promise.all([page.waitForEvent('download'), download.click()])
  const pack = join(folder, 'pack.zip')
  await file.saveAs(pack)
  const said = execFileSync(lethe, ['ledger', 'verify-export', pack, '--policy', dev.ledger_policy_file, '--lang=en'], { encoding: 'utf8' })
  assert.match(said, /\S/)

  // A pack that somebody touched is found out.
  const bytes = readFileSync(pack)
  bytes[Math.floor(bytes.length / 2)] ^= 1
  writeFileSync(pack, bytes)
  assert.throws(() => execFileSync(lethe, ['ledger', 'verify-export', pack, '--policy', dev.ledger_policy_file, '--lang=en'], { stdio: 'pipe' }))
  await page.context().close()
})
