import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Flex, Form, Input, Popconfirm, Typography } from 'antd'

import { api, ok } from '../../api/client'
import { fieldOf, isProblem, Refused } from '../../api/problem'
import { listed } from '../../shell/language'
import { useMe } from '../../shell/me'
import { ProblemAlert } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { useShellTexts } from '../../shell/texts'
import { placeOf, type Change, type Draft } from './draft'
import { inOwn, type Catalogue } from './Fields'
import { useTexts } from './texts'

/** What the API found wrong with something of the draft. */
export interface Trouble {
  at: string
  name: (string | number)[]
  message: string
}

/** What will change, before it is asked for. */
export function Changes({ catalogue, draft, changed, undo, trouble, reload }: { catalogue: Catalogue; draft: Draft; changed: Change[]; undo: () => void; trouble: (found: Trouble[]) => void; reload: () => void }) {
  const t = useTexts()
  const shell = useShellTexts()
  const outcome = useOutcome()
  const client = useQueryClient()
  const me = useMe().data
  const permissions = useQuery({ queryKey: ['permissions'], queryFn: () => ok(api.GET('/api/v1/permissions')), staleTime: Infinity })
  const may = !permissions.data || (!!me && permissions.data.configurers.includes(me.employee_id))
  const send = useMutation({
    mutationFn: (approval_reason: string) => ok(api.PUT('/api/v1/field-catalogue', { body: { ...draft, base_version: catalogue.own.version, approval_reason } })),
    onMutate: () => trouble([]),
    onSuccess: (answer) => {
      outcome(answer)
      undo()
      void client.invalidateQueries({ queryKey: ['approvals'] })
    },
    onError: (error) => {
      if (!(error instanceof Refused)) return
      trouble(
        (error.problem.errors ?? []).flatMap((e) => {
          const place = placeOf(draft, fieldOf(e.location))
          return place ? [{ ...place, message: e.message ?? error.problem.title }] : []
        }),
      )
    },
  })
  const labels: Record<string, string> = { label_zh: t('labelZh'), label_en: t('labelEn'), notice_zh: t('noticeZh'), notice_en: t('noticeEn'), basis_zh: t('basisZh'), basis_en: t('basisEn'), purposes: t('purposes'), choices: t('choices') }
  const fieldName = (key: string) => catalogue.items.find((f) => f.key === key)?.label ?? ''
  const line = (c: Change) => {
    switch (c.what) {
      case 'sectionNew':
        return t('cSectionNew', { name: inOwn(c.section.label_zh, c.section.label_en) })
      case 'section':
        return t('cSection', { before: inOwn(c.before.label_zh, c.before.label_en), name: inOwn(c.section.label_zh, c.section.label_en) })
      case 'fieldNew': {
        const section = draft.sections.find((s) => s.key === c.field.section)
        return t('cFieldNew', { name: inOwn(c.field.label_zh, c.field.label_en), section: section ? inOwn(section.label_zh, section.label_en) : '' })
      }
      case 'field':
        return t('cField', { name: inOwn(c.field.label_zh, c.field.label_en), what: listed(c.parts.map((p) => labels[p] ?? '')) })
      case 'notice':
        return t('cNotice', { name: fieldName(c.notice.field), text: inOwn(c.notice.text_zh, c.notice.text_en) })
      case 'noticeGone':
        return t('cNoticeGone', { name: fieldName(c.field) })
      default:
        return t(c.what === 'retired' ? 'cRetired' : 'cRevived', { name: inOwn(c.field.label_zh, c.field.label_en) })
    }
  }
  return (
    <Card id="changes" size="small" title={<h2 className="card-title">{changed.length > 0 ? `${t('changes')} · ${t('count', { n: changed.length })}` : t('changes')}</h2>}>
      {changed.length === 0 ? (
        <Typography.Text type="secondary">{t('noChanges')}</Typography.Text>
      ) : (
        <Form layout="vertical" requiredMark={false} disabled={send.isPending} onFinish={({ reason }: { reason: string }) => send.mutate(reason)}>
          <Flex vertical gap={12}>
            <ul className="catalogue-changes">
              {changed.map((c, i) => (
                <li key={i}>{line(c)}</li>
              ))}
            </ul>
            {!may && <Alert type="warning" showIcon title={t('mayNot')} />}
            <Form.Item name="reason" label={shell('reasonForSecond')} extra={shell('reasonForSecondHint')} rules={[{ required: true, whitespace: true, message: shell('required') }]} style={{ margin: 0 }}>
              <Input.TextArea rows={2} maxLength={500} />
            </Form.Item>
            <ProblemAlert error={send.error} retry={isProblem(send.error, 'catalogue_changed') ? reload : undefined} />
            <Flex gap={8} wrap>
              <Button type="primary" htmlType="submit" loading={send.isPending} disabled={!may}>
                {t('submit')}
              </Button>
              <Popconfirm title={t('undoSure')} okText={t('undo')} cancelText={t('cancel')} onConfirm={undo}>
                <Button>{t('undo')}</Button>
              </Popconfirm>
            </Flex>
          </Flex>
        </Form>
      )}
    </Card>
  )
}
