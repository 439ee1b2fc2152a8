import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Descriptions, Empty, Flex, Form, Input, Modal, Select, Skeleton, Space, Tag, Typography } from 'antd'
import { useState } from 'react'
import { useSearchParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { listed } from '../../shell/language'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { Person, PersonPicker } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { useShellTexts } from '../../shell/texts'
import { day, When } from '../../shell/times'
import { PlaceHold } from './PlaceHold'
import { useRetentionTexts } from './texts'

type Hold = Schemas['HoldView']

/** Whose deletion is suspended, and why. */
export function Holds() {
  const t = useRetentionTexts()
  const shell = useShellTexts()
  const hr = useMe().data?.role === 'hr_admin'
  const [params, setParams] = useSearchParams()
  const show = params.get('show') ?? 'active'
  const employee_id = params.get('person') ?? undefined
  const [placing, setPlacing] = useState(false)
  const [releasing, setReleasing] = useState<Hold>()
  const set = (key: string, value: string | undefined) =>
    setParams((before) => {
      const next = new URLSearchParams(before)
      if (value) next.set(key, value)
      else next.delete(key)
      return next
    }, { replace: true })
  const active = show === 'active' ? 'true' : show === 'released' ? 'false' : undefined
  const list = usePages(['holds', active, employee_id], (cursor) => ok(api.GET('/api/v1/holds', { params: { query: { cursor, active, employee_id } } })))
  return (
    <div style={{ maxWidth: 900 }}>
      <Flex justify="space-between" align="start" gap={12} wrap style={{ marginBottom: 12 }}>
        <Typography.Text type="secondary" style={{ flex: '1 1 300px' }}>{t('holdsIntro')}</Typography.Text>
        {hr && <Button type="primary" onClick={() => setPlacing(true)}>{t('place')}</Button>}
      </Flex>
      <Flex gap={8} wrap style={{ marginBottom: 12 }}>
        <Select
          aria-label={t('state')}
          value={show}
          style={{ minWidth: 120 }}
          onChange={(v: string) => set('show', v === 'active' ? undefined : v)}
          options={[{ value: 'active', label: t('active') }, { value: 'released', label: t('released') }, { value: 'all', label: t('all') }]}
        />
        <PersonPicker aria-label={t('person')} placeholder={t('personHint')} value={employee_id} onChange={(id) => set('person', id)} style={{ flex: '1 1 200px', maxWidth: 320 }} />
      </Flex>
      <ProblemAlert error={list.error} retry={() => void list.refetch()} />
      {list.isPending && <Skeleton active />}
      {list.data && list.rows.length === 0 && (
        <Card><Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={show === 'active' && !employee_id ? <>{t('noHolds')}<br />{t('noHoldsHint')}</> : t('noHoldsOf')} /></Card>
      )}
      <Flex vertical gap={12}>
        {list.rows.map((h) => (
          <HoldCard key={h.id} of={h} release={hr && !h.released_at ? () => setReleasing(h) : undefined} />
        ))}
        {list.hasNextPage && <Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{shell('more')}</Button>}
      </Flex>
      <PlaceHold open={placing} close={() => setPlacing(false)} />
      <Release of={releasing} close={() => setReleasing(undefined)} />
    </div>
  )
}

function HoldCard({ of: h, release }: { of: Hold; release?: () => void }) {
  const t = useRetentionTexts()
  const count = useMutation({ mutationFn: () => ok(api.GET('/api/v1/holds/{id}', { params: { path: { id: h.id } } })) })
  const covers = count.data?.covers
  const conditions = [
    ...(h.query_text ?? []),
    ...(h.query?.left_from ? [t('leftFrom', { day: day(h.query.left_from) })] : []),
    ...(h.query?.left_to ? [t('leftTo', { day: day(h.query.left_to) })] : []),
  ]
  return (
    <Card
      size="small"
      title={<h2 className="card-title">{h.matter}</h2>}
      extra={h.released_at ? <Tag>{t('released')}</Tag> : <Tag color="gold">{t('active')}</Tag>}
    >
      <Descriptions
        column={1}
        size="small"
        items={[
          { key: 'whose', label: t('whose'), children: h.everybody ? t('everybody') : h.person ? <Person of={h.person} /> : <span>{t('byFilter')}{': '}{listed(conditions)}</span> },
          { key: 'which', label: t('which'), children: h.categories_text.length ? listed(h.categories_text) : t('everything') },
          { key: 'since', label: t('since'), children: <When at={h.placed_at} zone={h.person?.time_zone} /> },
          ...(h.placer ? [{ key: 'by', label: t('by'), children: <Space wrap><Person of={h.placer} />{h.passed_to_text && <Tag color="orange">{t('passedTo', { role: h.passed_to_text })}</Tag>}</Space> }] : []),
          ...(h.released_at ? [{ key: 'end', label: t('end'), children: <When at={h.released_at} zone={h.person?.time_zone} /> }] : []),
          ...(h.releaser ? [{ key: 'ender', label: t('ender'), children: <Person of={h.releaser} /> }] : []),
        ]}
      />
      {!h.released_at && (
        <Flex gap={8} wrap align="center" style={{ marginTop: 8 }}>
          {covers ? <Typography.Text type="secondary">{t('coversNow', { people: covers.people, files: covers.files })}</Typography.Text> : <Button size="small" loading={count.isPending} onClick={() => count.mutate()}>{t('count')}</Button>}
          {release && <Button size="small" danger onClick={release}>{t('release')}</Button>}
        </Flex>
      )}
      <ProblemAlert error={count.error} />
    </Card>
  )
}

function Release({ of: h, close }: { of?: Hold; close: () => void }) {
  const t = useRetentionTexts()
  const outcome = useOutcome()
  const client = useQueryClient()
  const [form] = Form.useForm<Schemas['ReleaseHoldInputBody']>()
  const [error, setError] = useState<unknown>()
  const ask = useMutation({
    mutationFn: (body: Schemas['ReleaseHoldInputBody']) => ok(api.POST('/api/v1/holds/{id}/release', { params: { path: { id: h!.id } }, body })),
    onMutate: () => setError(undefined),
    onSuccess: async (answer) => {
      outcome(answer)
      close()
      await client.invalidateQueries({ queryKey: ['holds'] })
      await client.invalidateQueries({ queryKey: ['approvals'] })
    },
    onError: (refused) => {
      if (!showInForm(form, refused)) setError(refused)
    },
  })
  return (
    <Modal
      open={!!h}
      title={t('releaseTitle')}
      okText={t('releaseSend')}
      cancelText={t('cancel')}
      confirmLoading={ask.isPending}
      onOk={() => form.submit()}
      onCancel={close}
      mask={{ closable: false }}
      destroyOnHidden
      afterClose={() => setError(undefined)}
    >
      <p><strong>{h?.matter}</strong></p>
      <p>{t('releaseWill')}</p>
      <Form form={form} layout="vertical" preserve={false} onFinish={(v) => ask.mutate({ approval_reason: v.approval_reason?.trim() || undefined })}>
        <Form.Item name="approval_reason" label={t('reasonForSecond')} extra={t('reasonHint')}>
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} count={longest(500)} />
        </Form.Item>
      </Form>
      <ProblemAlert error={error} />
    </Modal>
  )
}
