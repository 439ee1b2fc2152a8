import { WarningOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Collapse, Flex, Skeleton, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { language, listed } from '../../shell/language'
import { useMe } from '../../shell/me'
import { ProblemAlert } from '../../shell/problems'
import { State } from '../../shell/state'
import { instant } from '../../shell/times'
import { Changes, type Trouble } from './Changes'
import { changes, type Draft, type Field } from './draft'
import { Edit, type Edited } from './Edit'
import './fields.css'
import { useTexts } from './texts'

export type Catalogue = Schemas['CatalogueView'] & Required<Pick<Schemas['CatalogueView'], 'own' | 'offers'>>

export const inOwn = (zh: string, en: string) => (language() === 'zh' ? zh : en)

/** What files have: the product's fields, and what the company adds to them, as a draft that a second person decides about. */
export default function Page() {
  const t = useTexts()
  const catalogue = useQuery({ queryKey: ['field-catalogue', 'own'], queryFn: () => ok(api.GET('/api/v1/field-catalogue')), staleTime: Infinity })
  return (
    <>
      <Heading>{t('title')}</Heading>
      {catalogue.isPending && <Skeleton active />}
      <ProblemAlert error={catalogue.error} retry={() => void catalogue.refetch()} />
      {catalogue.data?.own && <Editor key={catalogue.data.own.version} catalogue={catalogue.data as Catalogue} />}
    </>
  )
}

function Editor({ catalogue }: { catalogue: Catalogue }) {
  const t = useTexts()
  const hr = useMe().data?.role === 'hr_admin'
  const client = useQueryClient()
  const own = catalogue.own
  const before: Draft = { sections: own.sections, fields: own.fields, notices: own.notices }
  const [draft, setDraft] = useState<Draft>(before)
  const [edited, setEdited] = useState<Edited>()
  const [trouble, setTrouble] = useState<Trouble[]>([])
  const changed = changes(before, draft)
  const isNew = (at: string) => changed.some((c) => c.at === at && (c.what === 'sectionNew' || c.what === 'fieldNew'))
  const mark = (at: string) => {
    const one = changed.find((c) => c.at === at)
    return (
      <>
        {one && <State tone="wait">{t(isNew(at) ? 'newNow' : 'changedNow')}</State>}
        {trouble
          .filter((x) => x.at === at)
          .map((x, i) => (
            <Typography.Text type="danger" key={i}>
              {x.message}
            </Typography.Text>
          ))}
      </>
    )
  }
  const undo = () => {
    setDraft(before)
    setTrouble([])
  }
  return (
    <Flex vertical gap={16}>
      <Typography.Text>{t('intro')}</Typography.Text>
      <Typography.Text type="secondary">
        {own.changed_at ? `${t('version', { version: own.version })} · ${t('since', { at: instant(own.changed_at), who: own.changed_by?.name ?? '', by: own.approved_by?.name ?? '' })}` : t('builtIn')}
      </Typography.Text>
      <Waiting />
      {hr && (
        <Flex gap={8} wrap>
          <Button onClick={() => setEdited({ what: 'section' })}>{t('addSection')}</Button>
          <Button disabled={draft.sections.length === 0} onClick={() => setEdited({ what: 'field', section: draft.sections[0]!.key })}>
            {t('addField')}
          </Button>
          {draft.sections.length === 0 && <Typography.Text type="secondary" style={{ alignSelf: 'center' }}>{t('needSection')}</Typography.Text>}
        </Flex>
      )}
      {[...draft.sections].map((s) => (
        <Card
          key={s.key}
          size="small"
          title={<Title name={inOwn(s.label_zh, s.label_en)} own mark={mark(`section ${s.key}`)} />}
          extra={
            hr && (
              <Button size="small" onClick={() => setEdited({ what: 'section', of: s })} aria-label={t('changeOf', { name: inOwn(s.label_zh, s.label_en) })}>
                {t('change')}
              </Button>
            )
          }
        >
          {isNew(`section ${s.key}`) && <Alert type="info" showIcon title={t('grant')} style={{ marginBottom: 8 }} />}
          <ul className="catalogue">
            {draft.fields
              .filter((f) => f.section === s.key)
              .map((f) => (
                <OwnRow key={f.key} field={f} catalogue={catalogue} mark={mark(`field ${f.key}`)} edit={hr ? () => setEdited({ what: 'field', of: f, section: s.key, isNew: isNew(`field ${f.key}`) }) : undefined} />
              ))}
          </ul>
          {!draft.fields.some((f) => f.section === s.key) && <Typography.Paragraph type="secondary">{t('empty')}</Typography.Paragraph>}
          {hr && (
            <Button size="small" onClick={() => setEdited({ what: 'field', section: s.key })} aria-label={t('addFieldIn', { name: inOwn(s.label_zh, s.label_en) })}>
              {t('addField')}
            </Button>
          )}
        </Card>
      ))}
      {catalogue.sections
        .filter((s) => !s.own)
        .map((s) => (
          <Card key={s.section} size="small" title={<Title name={s.label} />}>
            <Program of={catalogue.items.filter((f) => f.section === s.section)} open={(f) => draft.notices.some((n) => n.field === f.key)}>
              {(f) => {
                const notice = draft.notices.find((n) => n.field === f.key)
                return (
                  <Row
                    name={f.label}
                    facts={[f.type_text, f.category_text ?? '']}
                    notice={notice ? (s.section === 'emergency_contact' ? `${programNotice(f, before)} ${inOwn(notice.text_zh, notice.text_en)}` : inOwn(notice.text_zh, notice.text_en)) : f.notice}
                    marks={
                      <>
                        {notice && <State tone="calm">{t('ownNotice')}</State>}
                        {mark(`notice ${f.key}`)}
                      </>
                    }
                    edit={hr && f.category ? () => setEdited({ what: 'notice', field: f, of: notice }) : undefined}
                    editText={t('changeNotice')}
                    editLabel={t('noticeOf', { name: f.label })}
                  />
                )
              }}
            </Program>
          </Card>
        ))}
      <Edit
        edited={edited}
        catalogue={catalogue}
        draft={draft}
        before={before}
        trouble={trouble}
        set={(next, at) => {
          setDraft(next)
          setTrouble((all) => all.filter((x) => x.at !== at))
        }}
        close={() => setEdited(undefined)}
      />
      {hr && changed.length > 0 && (
        <Flex className="pending" gap={12} wrap align="center" justify="space-between">
          <span role="status">{t('pending', { n: changed.length })}</span>
          <Button onClick={() => document.querySelector('#changes')?.scrollIntoView({ behavior: 'smooth' })} href="#changes">
            {t('toChanges')}
          </Button>
        </Flex>
      )}
      {hr && (
        <Changes
          catalogue={catalogue}
          draft={draft}
          changed={changed}
          undo={undo}
          trouble={setTrouble}
          reload={() => void client.invalidateQueries({ queryKey: ['field-catalogue'] })}
        />
      )}
    </Flex>
  )
}

type ProgramField = Schemas['CatalogueField']

/** A further emergency contact has the fields of the first. */
const further = (f: ProgramField) => /^emergency_contact_[2-9]_/.test(f.key)

/** Fields of the product; those of the further contacts, which say the same once more, are folded. */
function Program({ of, open, children }: { of: ProgramField[]; open: (f: ProgramField) => boolean; children: (f: ProgramField) => React.ReactNode }) {
  const t = useTexts()
  const rows = (fields: ProgramField[]) => (
    <ul className="catalogue">
      {fields.map((f) => (
        <li key={f.key}>{children(f)}</li>
      ))}
    </ul>
  )
  const more = of.filter(further)
  return (
    <>
      {rows(of.filter((f) => !further(f)))}
      {more.length > 0 && (
        <Collapse
          ghost
          size="small"
          defaultActiveKey={more.some(open) ? ['more'] : []}
          items={[{ key: 'more', label: t('furtherContacts', { n: more.length }), children: rows(more) }]}
        />
      )}
    </>
  )
}

/** The notice of the product alone, where the company's follows it. */
function programNotice(f: Schemas['CatalogueField'], before: Draft) {
  const was = before.notices.find((n) => n.field === f.key)
  const own = was && inOwn(was.text_zh, was.text_en)
  return own && f.notice.endsWith(own) ? f.notice.slice(0, -own.length) : `${f.notice}${inOwn('；', ';')}`
}

function Title({ name, own, mark }: { name: string; own?: boolean; mark?: React.ReactNode }) {
  const t = useTexts()
  return (
    <Flex gap={8} align="center" wrap>
      <h2 className="card-title">{name}</h2>
      {own && <State tone="calm">{t('own')}</State>}
      {mark}
    </Flex>
  )
}

function OwnRow({ field: f, catalogue, mark, edit }: { field: Field; catalogue: Catalogue; mark: React.ReactNode; edit?: () => void }) {
  const t = useTexts()
  const word = (words: Schemas['Word'][], value: string) => words.find((w) => w.value === value)?.text ?? ''
  const name = inOwn(f.label_zh, f.label_en)
  return (
    <li>
      <Row
        name={name}
        facts={[
          word(catalogue.offers.types, f.type) + (f.choices?.length ? ` (${listed(f.choices.map((o) => inOwn(o.text_zh, o.text_en)))})` : ''),
          word(catalogue.offers.categories, f.category),
          `${t('basis')}: ${inOwn(f.basis_zh, f.basis_en)}`,
          `${t('forWhat')}: ${listed(f.purposes.map((p) => word(catalogue.offers.purposes, p)))}`,
        ]}
        notice={inOwn(f.notice_zh, f.notice_en)}
        marks={
          <>
            {f.retired && <State tone="calm">{t('retired')}</State>}
            {mark}
          </>
        }
        edit={edit}
        editText={t('change')}
        editLabel={t('changeOf', { name })}
      />
    </li>
  )
}

function Row({ name, facts, notice, marks, edit, editText, editLabel }: { name: string; facts: string[]; notice: string; marks: React.ReactNode; edit?: () => void; editText: string; editLabel: string }) {
  return (
    <Flex justify="space-between" gap={8} align="start" wrap>
      <div className="about">
        <Flex gap={8} wrap align="center">
          <strong>{name}</strong>
          {marks}
        </Flex>
        <Typography.Text type="secondary">{facts.filter(Boolean).join(' · ')}</Typography.Text>
        <div className="notice">
          <WarningOutlined aria-hidden /> {notice}
        </div>
      </div>
      {edit && (
        <Button size="small" onClick={edit} aria-label={editLabel}>
          {editText}
        </Button>
      )}
    </Flex>
  )
}

/** A change that somebody asked for already. */
function Waiting() {
  const t = useTexts()
  const open = useQuery({ queryKey: ['approvals', 'of-catalogue'], queryFn: () => ok(api.GET('/api/v1/approvals', { params: { query: { state: 'pending', limit: 200 } } })), retry: false })
  return open.data?.items
    .filter((r) => r.operation === 'field_catalogue.change')
    .map((r) => (
      <Alert
        key={r.id}
        type="warning"
        showIcon
        title={t('waits')}
        description={t('waitsHint', { who: r.requester.name, at: instant(r.requested_at) })}
        action={<Link to={`/approvals/${r.id}`}>{t('see')}</Link>}
      />
    ))
}
