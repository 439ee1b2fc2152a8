import { Card, Collapse, Descriptions, Flex, Space, Typography } from 'antd'
import { useEffect } from 'react'
import { Link, useSearchParams } from 'react-router'

import { hasTour } from '../../shell/Heading'
import { language, texts } from '../../shell/language'
import { useMe } from '../../shell/me'
import { maySee, tasks } from '..'
import { guides, questions, words } from './content'

const useTexts = texts(
  'help',
  {
    title: '帮助', hint: '每个页面的标题旁有问号：可以在页面上看一遍怎么用，或回到这里的说明。', guides: '怎么做', words: '状态是什么意思', questions: '常见问题', open: '打开这个功能', tour: '在页面上看一遍',
    api: '给程序员：接口文档', apiHint: '可以在页面上直接试调接口；试调会真的执行，以您的身份。',
  },
  {
    title: 'Help', hint: 'The question mark beside each screen’s heading shows you around, or leads back to what is said about it here.', guides: 'How to', words: 'What the words mean', questions: 'Questions', open: 'Open it', tour: 'Show me on the screen',
    api: 'For programmers: the API', apiHint: 'Calls can be tried out there; what you try is really done, in your name.',
  },
)

export default function Help() {
  const t = useTexts()
  const role = useMe().data?.role
  const about = useSearchParams()[0].get('about')
  const in_ = language()
  const mine = guides
    .map((g) => ({ ...g, key: g.en[0], first: tasks.find((task) => task.label === g.about?.[0]) }))
    .filter((g) => !g.first || maySee(g.first, role))
  const asked = mine.find((g) => g.about?.some((label) => label === about))?.key
  useEffect(() => {
    if (asked) document.querySelector('[data-asked]')?.closest('.ant-collapse-item')?.scrollIntoView({ block: 'center' })
  }, [asked])
  return (
    <>
      <h1>{t('title')}</h1>
      <Typography.Paragraph type="secondary">{t('hint')}</Typography.Paragraph>
      <Flex vertical gap={16}>
        <Card size="small" title={<h2 className="plain">{t('guides')}</h2>}>
          <Collapse
            ghost
            key={asked}
            defaultActiveKey={asked ?? mine[0]?.key}
            items={mine.map((g) => ({
              key: g.key,
              label: <span data-asked={g.key === asked || undefined}>{g[in_][0]}</span>,
              children: (
                <>
                  <p>{g[in_][1]}</p>
                  {g.first && (
                    <Space size="large" wrap>
                      {hasTour(g.first.label) && <Link to={`/${g.first.path}`} state={{ tour: true }}>{t('tour')}</Link>}
                      <Link to={`/${g.first.path}`}>{t('open')}</Link>
                    </Space>
                  )}
                </>
              ),
            }))}
          />
        </Card>
        <Card size="small" title={<h2 className="plain">{t('words')}</h2>}>
          <Descriptions column={1} items={words.map((w) => ({ key: w.en[0], label: w[in_][0], children: w[in_][1] }))} />
        </Card>
        <Card size="small" title={<h2 className="plain">{t('questions')}</h2>}>
          <Collapse ghost items={questions.map((q) => ({ key: q.en[0], label: q[in_][0], children: q[in_][1] }))} />
        </Card>
        <div>
          <a href="/docs">{t('api')}</a>
          <br />
          <Typography.Text type="secondary">{t('apiHint')}</Typography.Text>
        </div>
      </Flex>
    </>
  )
}
