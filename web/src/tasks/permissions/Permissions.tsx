import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, Button, Card, Flex, Form, Input, Skeleton, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { Parts } from '../../shell/Parts'
import { longest } from '../../shell/longest'
import { ProblemAlert } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { useShellTexts } from '../../shell/texts'
import { instant } from '../../shell/times'
import { changes, CONFIGURERS, draftOf, PROTECTED, type Change, type Draft } from './draft'
import { Matrix } from './Matrix'
import { Patterns } from './Patterns'
import { People, tierName, type Names } from './People'
import './permissions.css'
import { Preview } from './Preview'
import { useTexts } from './texts'

/** Who may look at which sensitive data, edited as a draft that a second person decides about. */
export default function Page() {
  const t = useTexts()
  const inForce = useQuery({ queryKey: ['permissions'], queryFn: () => ok(api.GET('/api/v1/permissions')), staleTime: Infinity })
  return (
    <>
      <Heading>{t('title')}</Heading>
      {inForce.isPending && <Skeleton active />}
      <ProblemAlert error={inForce.error} retry={() => void inForce.refetch()} />
      {inForce.data && <Editor key={inForce.data.version} permissions={inForce.data} />}
    </>
  )
}

function Editor({ permissions }: { permissions: Schemas['Permissions'] }) {
  const t = useTexts()
  const me = useMe().data
  const [draft, setDraft] = useState<Draft>(() => draftOf(permissions))
  const [learnt, setLearnt] = useState<Schemas['Employee'][]>([])
  const people = new Map<string, Pick<Schemas['PersonView'], 'name' | 'employee_no'>>([...permissions.people.map((p) => [p.employee_id, p] as const), ...learnt.map((p) => [p.id, p] as const)])
  const names: Names = {
    person: (id) => {
      const p = people.get(id)
      return p ? `${p.name} · ${p.employee_no}` : '…'
    },
    tier: (key) => {
      if (key === PROTECTED) return t('protected')
      if (key === CONFIGURERS) return t('configurers')
      const tier = draft.tiers.find((x) => x.key === key) ?? permissions.tiers.find((x) => x.key === key)
      return tier ? tierName(tier) : ''
    },
  }
  const before = draftOf(permissions)
  const changed = changes(before, draft)
  const common = { permissions, draft, set: setDraft, names }
  return (
    <Flex vertical gap={16}>
      <Typography.Text>{t('intro')}</Typography.Text>
      <Typography.Text type="secondary">
        {t('version', { version: permissions.version })} ·{' '}
        {permissions.changed_at ? t('since', { at: instant(permissions.changed_at), who: permissions.changed_by?.name ?? '', by: permissions.approved_by?.name ?? '' }) : t('builtIn')}
      </Typography.Text>
      <Parts
        label={t('title')}
        items={[
          { key: 'people', label: t('people'), children: <People {...common} learn={(p) => setLearnt((known) => [...known, p])} /> },
          { key: 'matrix', label: t('matrix'), children: <Matrix {...common} /> },
          { key: 'patterns', label: t('patterns'), children: <Patterns permissions={permissions} draft={draft} set={setDraft} /> },
          { key: 'preview', label: t('preview'), children: <Preview permissions={permissions} draft={changed.length > 0 ? draft : undefined} /> },
        ]}
      />
      {me?.role === 'hr_admin' && <Submit permissions={permissions} draft={draft} changed={changed} names={names} undo={() => setDraft(before)} may={permissions.configurers.includes(me.employee_id) || changed.every((c) => c.what === 'joined' && c.key === CONFIGURERS && c.who !== me.employee_id)} />}
    </Flex>
  )
}

function Submit({ permissions, draft, changed, names, undo, may }: { permissions: Schemas['Permissions']; draft: Draft; changed: Change[]; names: Names; undo: () => void; may: boolean }) {
  const t = useTexts()
  const shell = useShellTexts()
  const outcome = useOutcome()
  const word = (list: Schemas['Word'][], value: string) => list.find((w) => w.value === value)?.text ?? value
  const line = (c: Change) => {
    switch (c.what) {
      case 'joined':
      case 'left':
        return t(c.what, { who: names.person(c.who), tier: names.tier(c.key) })
      case 'cell':
      case 'cellProtected':
        return t(c.what, { tier: names.tier(c.cell.tier), group: word(permissions.groups, c.cell.group), purpose: word(permissions.purposes, c.cell.purpose), before: word(permissions.levels, c.before), after: word(permissions.levels, c.after) })
      case 'patterns': {
        const said = (shown: boolean | undefined) => {
          const byDefault = permissions.legal_entities.find((e) => e.id === c.entity)?.patterns_by_default
          const what = t((shown ?? byDefault) ? 'patternsShown' : 'patternsHidden')
          return shown === undefined ? t('patternsDefault', { what }) : what
        }
        return t('patternsChanged', { entity: permissions.legal_entities.find((e) => e.id === c.entity)?.name ?? '', before: said(c.before), after: said(c.after) })
      }
      default:
        return t(c.what, { tier: names.tier(c.key) })
    }
  }
  const send = useMutation({
    mutationFn: (approval_reason: string) => ok(api.PUT('/api/v1/permissions', { body: { ...draft, base_version: permissions.version, approval_reason } })),
    onSuccess: (answer) => {
      outcome(answer)
      undo()
    },
  })
  return (
    <Card size="small" title={`${t('changes')} · ${t('count', { n: changed.length })}`}>
      {changed.length === 0 ? (
        <Typography.Text type="secondary">{t('noChanges')}</Typography.Text>
      ) : (
        <Form layout="vertical" onFinish={({ reason }: { reason: string }) => send.mutate(reason)}>
          <ul>
            {changed.map((c, i) => (
              <li key={i}>{line(c)}</li>
            ))}
          </ul>
          {!may && <Alert type="warning" showIcon title={t('mayNot')} style={{ marginBottom: 12 }} />}
          <Form.Item name="reason" label={shell('reasonForSecond')} extra={shell('reasonForSecondHint')} rules={[{ required: true, message: shell('required') }]}>
            <Input.TextArea rows={2} count={longest(500)} />
          </Form.Item>
          <ProblemAlert error={send.error} />
          <Flex gap={8} wrap align="center" style={{ marginTop: 8 }}>
            <Button type="primary" htmlType="submit" loading={send.isPending} disabled={!may}>
              {t('submit')}
            </Button>
            <Button onClick={undo}>{t('undo')}</Button>
            <Typography.Text type="secondary">{t('submitHint')}</Typography.Text>
          </Flex>
        </Form>
      )}
    </Card>
  )
}
