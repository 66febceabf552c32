package sample

// The texts. Each reads as the form of its procedure does; wording varies by the choices in brackets.

const receiptBody = `Mã hồ sơ: {code}
Bộ phận Tiếp nhận và Trả kết quả {agency} đã tiếp nhận hồ sơ của: {a.ong} {a}
Địa chỉ: {a.addr}
Số điện thoại: {phone}
Nội dung yêu cầu giải quyết: {proc}
Thành phần hồ sơ nộp gồm: [tờ khai theo mẫu; giấy tờ tùy thân; tài liệu kèm theo|tờ khai điện tử và các bản chụp giấy tờ kèm theo|đơn theo mẫu và tài liệu chứng minh]
Số lượng hồ sơ: 01 bộ
Thời gian nhận hồ sơ: [08|09|10|14|15] giờ [05|12|20|35|48] phút, {recv}
Thời gian trả kết quả dự kiến: {due}
Đăng ký nhận kết quả: [tại Bộ phận Một cửa|qua dịch vụ bưu chính công ích|bản điện tử qua Cổng dịch vụ công]
Phí, lệ phí: {fee}`

const slipBody = `Mã hồ sơ: {code}
Cơ quan giải quyết: {agency}
Người nộp: {a}
Tiếp nhận: {recvd}, người tiếp nhận {clerk}
Chuyển xử lý: {recvd}, {clerktitle}
Trình ký: {settledd}, người ký {leader}, {leadertitle}
Trả kết quả: {closedd}
Kết quả: [giải quyết trước hạn|giải quyết đúng hạn|giải quyết đúng hạn]`

const refusalBody = `Ngày {recvd}, {agency} tiếp nhận hồ sơ mã số {code} của {a.ong} {a}, địa chỉ {a.addr}, về việc {proc}.
Sau khi xem xét, đối chiếu với quy định hiện hành, {agency} thông báo không giải quyết hồ sơ nêu trên với lý do: [thành phần hồ sơ không đầy đủ và đã quá thời hạn yêu cầu bổ sung|thông tin kê khai không thống nhất với cơ sở dữ liệu quốc gia về dân cư, người nộp không cung cấp được giấy tờ chứng minh|nội dung yêu cầu không thuộc thẩm quyền giải quyết của cơ quan|đối tượng chưa đủ điều kiện theo quy định của pháp luật chuyên ngành].
{agency} trả lại toàn bộ hồ sơ và hướng dẫn {a.ong} {a} [hoàn thiện các giấy tờ còn thiếu để nộp lại|liên hệ cơ quan có thẩm quyền để được giải quyết]. Trường hợp không đồng ý, {a.ong} {a} có quyền khiếu nại theo quy định của pháp luật.
Xin thông báo để {a.ong} {a} được biết./.`

const stoppedBody = `Căn cứ {law.desk};
Xét hồ sơ mã số {code} của {a.ong} {a} về việc {proc}, {agency} thông báo dừng giải quyết với lý do: [người nộp hồ sơ không bổ sung giấy tờ theo phiếu yêu cầu trong thời hạn quy định|đối tượng của yêu cầu đang có tranh chấp được Tòa án thụ lý|người có yêu cầu đã chết trong thời gian giải quyết hồ sơ].
Hồ sơ được kết thúc trên Hệ thống thông tin giải quyết thủ tục hành chính kể từ {settled} và nộp lưu theo quy định./.`

const withdrawalBody = `Kính gửi: {agency}
Tôi là {a}, số định danh cá nhân {a.id}, cư trú tại {a.addr}.
Ngày {recvd} tôi có nộp hồ sơ mã số {code} đề nghị giải quyết thủ tục {proc}. Nay vì lý do [gia đình thay đổi dự định|tôi cần chỉnh sửa lại nội dung kê khai|các bên đã tự thỏa thuận được với nhau], tôi xin được rút toàn bộ hồ sơ nêu trên.
Tôi cam kết việc rút hồ sơ là hoàn toàn tự nguyện và không có khiếu nại gì về sau. Kính mong quý cơ quan xem xét giải quyết.
Tôi xin trân trọng cảm ơn./.`

const birthGroupBody = `Người yêu cầu: {a}
Số định danh cá nhân: {a.id}
Quan hệ với trẻ: {parent}
Họ, chữ đệm, tên trẻ: {c}
Ngày sinh của trẻ: {c.birth}
Giới tính của trẻ: {c.sex}
Nơi sinh: {hospital}
Họ tên cha: {f}
Họ tên mẹ: {m}
Nơi đăng ký thường trú đề nghị: {a.addr}
Nơi đăng ký khám chữa bệnh ban đầu: {clinic}
Thủ tục đề nghị: [đăng ký khai sinh; đăng ký thường trú; cấp thẻ bảo hiểm y tế; cấp thẻ căn cước|đăng ký khai sinh, đăng ký thường trú và cấp thẻ bảo hiểm y tế cho trẻ em dưới 6 tuổi]
Cam đoan: Tôi cam đoan những nội dung khai trên đây là đúng sự thật và chịu trách nhiệm trước pháp luật`

const birthGroupResultBody = `Căn cứ {law.desk};
{agency} thông báo kết quả giải quyết nhóm thủ tục hành chính liên thông đăng ký khai sinh, đăng ký thường trú, cấp thẻ bảo hiểm y tế cho trẻ em dưới 6 tuổi theo hồ sơ mã số {code} như sau:
1. Trẻ {c}, sinh {c.born}, con {f.ong} {f} và {m.ong} {m}, đã được đăng ký khai sinh và cấp số định danh cá nhân {c.id}.
2. Trẻ đã được đăng ký thường trú tại {a.addr}.
3. Thẻ bảo hiểm y tế đã được cấp bản điện tử trên ứng dụng VssID và VNeID, nơi đăng ký khám chữa bệnh ban đầu: {clinic}.
[Kết quả bản điện tử được gửi vào Kho dữ liệu điện tử của người yêu cầu; bản giấy nhận tại Bộ phận Một cửa.|Các kết quả được trả bản điện tử qua Cổng Dịch vụ công quốc gia, có giá trị pháp lý như bản giấy.]
Đề nghị {a.ong} {a} kiểm tra thông tin và phản hồi nếu có sai sót./.`

const birthRequestBody = `Kính gửi: {agency}
Họ, chữ đệm, tên người yêu cầu: {a}
Nơi cư trú: {a.addr}
Số định danh cá nhân: {a.id}
Quan hệ với người được khai sinh: {parent}
Đề nghị cơ quan đăng ký khai sinh cho người dưới đây:
Họ, chữ đệm, tên: {c}
Ngày, tháng, năm sinh: {c.birth}, ghi bằng chữ: {c.born}
Giới tính: {c.sex}. Dân tộc: {f.ethnic}. Quốc tịch: Việt Nam
Nơi sinh: {hospital}
Quê quán: {province}
Họ, chữ đệm, tên người mẹ: {m}, sinh năm {m.year}, dân tộc {m.ethnic}, số định danh cá nhân {m.id}, nơi cư trú {m.addr}
Họ, chữ đệm, tên người cha: {f}, sinh năm {f.year}, dân tộc {f.ethnic}, số định danh cá nhân {f.id}, nơi cư trú {f.addr}
Tôi cam đoan nội dung đề nghị đăng ký khai sinh trên đây là đúng sự thật, được sự thỏa thuận nhất trí của các bên liên quan theo quy định pháp luật. [Đề nghị cấp bản sao: 02 bản.|Đề nghị cấp bản sao: 03 bản.|Không đề nghị cấp bản sao.]`

const birthResultBody = `Căn cứ {law.civil}; theo đề nghị của {a.ong} {a} và giấy chứng sinh do {hospital} cấp;
Họ, chữ đệm, tên: {c}
Ngày, tháng, năm sinh: {c.birth}, ghi bằng chữ: {c.born}
Giới tính: {c.sex}. Dân tộc: {f.ethnic}. Quốc tịch: Việt Nam
Nơi sinh: {hospital}
Số định danh cá nhân: {c.id}
Họ, chữ đệm, tên người mẹ: {m}; năm sinh: {m.year}; dân tộc: {m.ethnic}; quốc tịch: Việt Nam; nơi cư trú: {m.addr}
Họ, chữ đệm, tên người cha: {f}; năm sinh: {f.year}; dân tộc: {f.ethnic}; quốc tịch: Việt Nam; nơi cư trú: {f.addr}
Họ, chữ đệm, tên người đi khai sinh: {a}; giấy tờ tùy thân: số định danh cá nhân {a.id}
Nơi đăng ký khai sinh: {agency}. Ngày đăng ký: {settledd}.`

const residenceRequestBody = `Kính gửi: {agency}
Họ, chữ đệm và tên: {c}
Ngày, tháng, năm sinh: {c.birth}
Giới tính: {c.sex}
Số định danh cá nhân: {c.id}
Họ tên chủ hộ: {f}
Quan hệ với chủ hộ: con
Nội dung đề nghị: Đăng ký thường trú cho con mới sinh về cùng cha mẹ tại {a.addr}
Ý kiến của chủ hộ: Đồng ý cho đăng ký thường trú
Ý kiến của cha, mẹ: [Đồng ý|Nhất trí, cam đoan nội dung đúng sự thật]`

const residenceResultBody = `Căn cứ {law.residence};
{agency} thông báo về việc giải quyết thủ tục đăng ký thường trú của công dân {c}, sinh {c.birth}, số định danh cá nhân {c.id}, như sau:
Đã cập nhật thông tin đăng ký thường trú vào Cơ sở dữ liệu về cư trú kể từ {settled}, tại địa chỉ {a.addr}; chủ hộ: {f.ong} {f}; quan hệ với chủ hộ: con.
[Công dân có thể tra cứu thông tin cư trú qua ứng dụng VNeID.|Thông báo này được gửi bản điện tử, không phải nộp hồ sơ giấy.]`

const insuranceRequestBody = `Họ và tên: {c}
Ngày sinh: {c.birth}
Giới tính: {c.sex}
Số định danh cá nhân: {c.id}
Đối tượng tham gia: trẻ em dưới 6 tuổi
Người giám hộ: {a}
Số định danh người giám hộ: {a.id}
Nơi đăng ký khám chữa bệnh ban đầu: {clinic}
Địa chỉ nhận kết quả: {a.addr}`

const insuranceResultBody = `Căn cứ {law.insurance};
{agency} thông báo đã cấp thẻ bảo hiểm y tế cho trẻ {c}, sinh {c.birth}, con của {a.ong} {a}, cư trú tại {a.addr}.
Mã số thẻ: TE1{a.prov}{serialno}. Nơi đăng ký khám chữa bệnh ban đầu: {clinic}. Giá trị sử dụng: từ ngày trẻ sinh ra đến khi đủ 72 tháng tuổi.
Mức hưởng: 100% chi phí khám bệnh, chữa bệnh trong phạm vi quyền lợi. [Thẻ được tích hợp trên ứng dụng VNeID, VssID.|Khi đi khám chữa bệnh, gia đình xuất trình thẻ điện tử hoặc giấy khai sinh.]`

const identityRequestBody = `Kính gửi: {agency}
Họ, chữ đệm và tên người được cấp: {c}
Số định danh cá nhân: {c.id}
Ngày, tháng, năm sinh: {c.birth}
Người đại diện hợp pháp: {f}
Số định danh người đại diện: {f.id}
Nơi thường trú: {a.addr}
Yêu cầu: Cấp thẻ căn cước lần đầu cho người dưới 6 tuổi, không thu nhận thông tin nhân dạng và sinh trắc học
Hình thức nhận thẻ: [tại trụ sở Công an cấp xã|chuyển phát đến địa chỉ cư trú]`

const identityResultBody = `Căn cứ {law.identity};
{agency} trả kết quả cấp thẻ căn cước cho công dân {c}, sinh {c.birth}, số định danh cá nhân {c.id}. Người đại diện hợp pháp: {f.ong} {f}.
Thẻ có giá trị sử dụng đến khi công dân đủ 14 tuổi. [Người đại diện đã kiểm tra, nhận thẻ và ký xác nhận.|Thẻ được chuyển phát qua dịch vụ bưu chính công ích đến {a.addr}.]`

const deathGroupBody = `Người yêu cầu: {a}
Số định danh cá nhân: {a.id}
Quan hệ với người chết: {elderkin}
Họ, chữ đệm, tên người chết: {e}
Số định danh người chết: {e.id}
Ngày sinh: {e.birth}
Đã chết vào: {died}
Nguyên nhân: {cause}
Nơi cư trú cuối cùng: {e.addr}
Đối tượng hưởng: [người đang hưởng lương hưu hàng tháng|người từ đủ 75 tuổi hưởng trợ cấp hưu trí xã hội|thân nhân người có công]
Thủ tục đề nghị: đăng ký khai tử; xóa đăng ký thường trú; hỗ trợ chi phí mai táng, hưởng mai táng phí
Tài khoản nhận trợ cấp: [chuyển khoản ngân hàng|nhận tiền mặt qua bưu điện]`

const deathGroupResultBody = `Căn cứ {law.desk};
{agency} thông báo kết quả giải quyết nhóm thủ tục hành chính liên thông đăng ký khai tử, xóa đăng ký thường trú, giải quyết mai táng phí theo hồ sơ mã số {code}:
1. {e.Ong} {e}, sinh {e.birth}, chết {died}, đã được đăng ký khai tử.
2. Cơ quan đăng ký cư trú đã xóa đăng ký thường trú của {e.ong} {e} tại {e.addr}.
3. Trợ cấp mai táng {money} đồng được chi trả cho {a.ong} {a} là {elderkin} của người chết.
[Gia đình có thể nhận trích lục khai tử bản giấy tại Bộ phận Một cửa.|Kết quả bản điện tử đã gửi vào tài khoản định danh của người yêu cầu.]`

const deathRequestBody = `Kính gửi: {agency}
Họ, chữ đệm, tên người yêu cầu: {a}, số định danh cá nhân {a.id}
Nơi cư trú: {a.addr}
Quan hệ với người đã chết: {elderkin}
Đề nghị cơ quan đăng ký khai tử cho người có tên dưới đây:
Họ, chữ đệm, tên: {e}
Ngày, tháng, năm sinh: {e.birth}. Giới tính: {e.sex}. Dân tộc: {e.ethnic}. Quốc tịch: Việt Nam
Nơi cư trú cuối cùng: {e.addr}
Số định danh cá nhân: {e.id}
Đã chết vào lúc [02|05|11|16|21] giờ [10|25|40] phút, ngày {died}
Nơi chết: [{hospital}|tại nhà riêng, {e.addr}]
Nguyên nhân chết: {cause}
Tôi cam đoan những nội dung khai trên đây là đúng sự thật và chịu trách nhiệm trước pháp luật về cam đoan của mình.`

const deathResultBody = `Căn cứ {law.civil} và giấy báo tử;
Trích lục từ Sổ đăng ký khai tử của {agency}:
Họ, chữ đệm, tên: {e}
Ngày, tháng, năm sinh: {e.birth}. Giới tính: {e.sex}. Dân tộc: {e.ethnic}. Quốc tịch: Việt Nam
Số định danh cá nhân: {e.id}
Nơi cư trú cuối cùng: {e.addr}
Đã chết ngày {died}. Nguyên nhân chết: {cause}
Người đi khai tử: {a.ong} {a}, là {elderkin} của người chết
Đăng ký khai tử ngày {settledd}. Trích lục này được thực hiện từ Sổ đăng ký khai tử số {registry}, quyển số 01.`

const residenceDeletionBody = `Kính gửi: {agency}
Họ, chữ đệm và tên: {e}
Ngày, tháng, năm sinh: {e.birth}
Số định danh cá nhân: {e.id}
Người khai thay: {a}
Nội dung đề nghị: Xóa đăng ký thường trú do công dân đã chết, theo trích lục khai tử
Địa chỉ thường trú: {e.addr}`

const residenceDeletionResultBody = `Căn cứ {law.residence};
{agency} thông báo đã xóa đăng ký thường trú của công dân {e}, sinh {e.birth}, số định danh cá nhân {e.id}, tại {e.addr}, do đã chết ngày {died}.
Thông tin được cập nhật trong Cơ sở dữ liệu quốc gia về dân cư và Cơ sở dữ liệu về cư trú kể từ {settled}./.`

const funeralRequestBody = `# TỜ KHAI CỦA THÂN NHÂN
Kính gửi: {agency}
Tôi là {a}, sinh ngày {a.birth}, số định danh cá nhân {a.id}, cư trú tại {a.addr}, là {elderkin} của {e.ong} {e}.
{e.Ong} {e}, số định danh cá nhân {e.id}, [đang hưởng lương hưu hàng tháng|đang hưởng trợ cấp mất sức lao động hàng tháng|đang bảo lưu thời gian đóng bảo hiểm xã hội], chết ngày {died}.
Gia đình tôi đã trực tiếp lo mai táng. Đề nghị cơ quan bảo hiểm xã hội giải quyết trợ cấp mai táng và chế độ tử tuất theo quy định.
Danh sách thân nhân: {a}, sinh năm {a.year}; {o}, sinh năm {o.year}. Các thân nhân thống nhất cử {a.ong} {a} đứng tên nhận trợ cấp.
Tôi cam đoan nội dung kê khai là đúng, nếu sai tôi xin hoàn trả toàn bộ số tiền đã nhận và chịu trách nhiệm trước pháp luật.`

const funeralResultBody = `GIÁM ĐỐC {AGENCY}
Căn cứ Luật Bảo hiểm xã hội; xét hồ sơ hưởng trợ cấp mai táng của thân nhân {e.ong} {e};
# QUYẾT ĐỊNH:
Điều 1. {a.Ong} {a}, số định danh cá nhân {a.id}, là {elderkin} của {e.ong} {e} (chết ngày {died}), được hưởng trợ cấp mai táng một lần với số tiền {money} đồng.
Điều 2. [Trợ cấp được chi trả qua tài khoản ngân hàng của người nhận.|Nơi nhận trợ cấp: Bưu điện {commune}.] Nguồn kinh phí: Quỹ bảo hiểm xã hội.
Điều 3. Các bộ phận chế độ bảo hiểm xã hội, kế hoạch tài chính và {a.ong} {a} chịu trách nhiệm thi hành Quyết định này./.`

const marriageRequestBody = `Kính gửi: {agency}
# BÊN NAM
Họ, chữ đệm, tên: {f}; sinh ngày {f.birth}; dân tộc {f.ethnic}; quốc tịch Việt Nam; nơi cư trú {f.addr}; số định danh cá nhân {f.id}; kết hôn lần thứ [nhất|nhất|hai]
# BÊN NỮ
Họ, chữ đệm, tên: {m}; sinh ngày {m.birth}; dân tộc {m.ethnic}; quốc tịch Việt Nam; nơi cư trú {m.addr}; số định danh cá nhân {m.id}; kết hôn lần thứ [nhất|nhất|hai]
Chúng tôi cam đoan những lời khai trên đây là đúng sự thật, việc kết hôn của chúng tôi là tự nguyện, không vi phạm quy định của {law.marriage}.
[Đề nghị cấp bản sao Trích lục kết hôn: 02 bản.|Chúng tôi đề nghị quý cơ quan đăng ký kết hôn và tổ chức trao Giấy chứng nhận kết hôn theo quy định.]`

const marriageResultBody = `Căn cứ {law.marriage}; {law.civil};
Họ, chữ đệm, tên chồng: {f}, ngày sinh {f.birth}, dân tộc {f.ethnic}, quốc tịch Việt Nam, nơi cư trú {f.addr}, số định danh cá nhân {f.id}
Họ, chữ đệm, tên vợ: {m}, ngày sinh {m.birth}, dân tộc {m.ethnic}, quốc tịch Việt Nam, nơi cư trú {m.addr}, số định danh cá nhân {m.id}
Nơi đăng ký kết hôn: {agency}
Hai bên nam, nữ có mặt, tự nguyện kết hôn, đã ký vào Giấy chứng nhận kết hôn và Sổ đăng ký kết hôn ngày {settledd}. Giấy chứng nhận kết hôn được trao cho hai bên ngay sau khi đăng ký./.`

const maritalRequestBody = `Kính gửi: {agency}
Họ, chữ đệm, tên: {a}
Ngày sinh: {a.birth}
Số định danh cá nhân: {a.id}
Nơi cư trú: {a.addr}
Tình trạng hôn nhân: [Chưa đăng ký kết hôn với ai|Đã ly hôn theo quyết định của Tòa án, hiện chưa kết hôn với ai|Vợ (chồng) đã chết, hiện chưa kết hôn với ai]
Mục đích sử dụng: {maritalpurpose}
Cam đoan: Nội dung khai trên đây là đúng sự thật`

const maritalCheckBody = `Kính gửi: Ủy ban nhân dân nơi {a.ong} {a} cư trú trước đây
{agency} đang giải quyết hồ sơ đề nghị cấp Giấy xác nhận tình trạng hôn nhân của {a.ong} {a}, sinh ngày {a.birth}, số định danh cá nhân {a.id}. Theo khai báo, {a.ong} {a} có thời gian cư trú tại địa phương từ năm [2009|2012|2015] đến năm [2016|2018|2019].
Đề nghị quý cơ quan kiểm tra, xác minh và trả lời bằng văn bản về tình trạng hôn nhân của {a.ong} {a} trong thời gian nêu trên, trong thời hạn 03 ngày làm việc kể từ ngày nhận được văn bản này.
[Rất mong nhận được sự phối hợp của quý cơ quan.|Trân trọng cảm ơn sự phối hợp của quý cơ quan./.]`

const maritalResultBody = `Căn cứ {law.civil}; xét đề nghị của {a.ong} {a} về việc cấp Giấy xác nhận tình trạng hôn nhân;
# XÁC NHẬN
Họ, chữ đệm, tên: {a}
Ngày, tháng, năm sinh: {a.birth}. Giới tính: {a.sex}. Dân tộc: {a.ethnic}. Quốc tịch: Việt Nam
Số định danh cá nhân: {a.id}. Nơi cư trú: {a.addr}
Trong thời gian cư trú tại địa phương đến nay [chưa đăng ký kết hôn với ai|đã ly hôn và hiện tại chưa đăng ký kết hôn với ai].
Giấy này được cấp để: {maritalpurpose}. Giấy có giá trị trong thời hạn 6 tháng kể từ ngày cấp./.`

const landRequestBody = `Kính gửi: {agency}
1. Người sử dụng đất: {a.ong} {a}, số định danh cá nhân {a.id}, và {s.ong} {s}, số định danh cá nhân {s.id}. Địa chỉ thường trú: {a.addr}.
2. Đề nghị: đăng ký quyền sử dụng đất, cấp Giấy chứng nhận đối với thửa đất lần đầu.
3. Thửa đất số {plot}, tờ bản đồ số {sheet}, địa chỉ tại {site}; diện tích {area} m², sử dụng riêng; mục đích sử dụng: {landuse}; thời hạn: [lâu dài|đến năm 2063]; nguồn gốc sử dụng: {landorigin}.
4. Nhà ở gắn liền với đất: nhà cấp [III|IV], diện tích xây dựng {housearea} m², kết cấu [tường gạch, mái tôn|tường gạch, mái ngói|bê tông cốt thép], năm hoàn thành {builtyear}.
5. Giấy tờ kèm theo: [giấy tờ mua bán viết tay có xác nhận của Ủy ban nhân dân|giấy xác nhận quá trình sử dụng đất|quyết định giao đất tạm thời]; mảnh trích đo địa chính; bản chụp căn cước.
Tôi cam đoan đất không có tranh chấp với các hộ liền kề, nội dung kê khai là đúng sự thật và chịu hoàn toàn trách nhiệm trước pháp luật.`

const landMinutesBody = `Hôm nay, {settled}, tại thửa đất số {plot}, tờ bản đồ số {sheet}, {site}, chúng tôi gồm có: {clerk}, {clerktitle}; đại diện Ủy ban nhân dân {commune}; trưởng khu dân cư và {a.ong} {a} là người sử dụng đất.
Kết quả kiểm tra: thửa đất có diện tích đo đạc thực tế {area} m², [tăng so với giấy tờ do sai số đo đạc trước đây|phù hợp với mảnh trích đo địa chính|ranh giới sử dụng ổn định, có tường rào bao quanh]. Trên đất có nhà ở diện tích {housearea} m² xây dựng năm {builtyear}.
Các hộ liền kề là hộ {o.ong} {o} và hộ {s.ong} {s2} đã ký giáp ranh, không có tranh chấp, khiếu nại.
Thửa đất [không nằm trong hành lang an toàn giao thông|phù hợp quy hoạch sử dụng đất đã được phê duyệt|không thuộc diện đã có thông báo thu hồi đất].
Biên bản lập xong lúc [10|11|16] giờ cùng ngày, đã đọc cho mọi người cùng nghe, thống nhất ký tên./.`

const landTaxBody = `Kính gửi: Cơ quan thuế {province}
Mã hồ sơ: {code}
Người sử dụng đất: {a}
Số định danh cá nhân: {a.id}
Thửa đất số: {plot}
Tờ bản đồ số: {sheet}
Diện tích: {area} m²
Mục đích sử dụng: {landuse}
Nguồn gốc: {landorigin}
Vị trí: {site}
Nghĩa vụ tài chính đề nghị xác định: tiền sử dụng đất; lệ phí trước bạ`

const landResultBody = `CHỦ TỊCH ỦY BAN NHÂN DÂN
Căn cứ {law.local};
Căn cứ {law.land} và các văn bản hướng dẫn thi hành;
Xét đề nghị của {agency} tại hồ sơ số {code},
# QUYẾT ĐỊNH:
Điều 1. Cấp Giấy chứng nhận quyền sử dụng đất, quyền sở hữu nhà ở và tài sản khác gắn liền với đất cho {a.ong} {a} và {s.ong} {s}, địa chỉ thường trú {a.addr}.
Thửa đất số {plot}, tờ bản đồ số {sheet}, diện tích {area} m², tại {site}; mục đích sử dụng: {landuse}; nguồn gốc: {landorigin}. Số phát hành Giấy chứng nhận: {serial}; số vào sổ cấp Giấy chứng nhận: CN {registry}.
Điều 2. {agency} cập nhật, chỉnh lý hồ sơ địa chính, cơ sở dữ liệu đất đai; trao Giấy chứng nhận sau khi người sử dụng đất hoàn thành nghĩa vụ tài chính [hoặc được ghi nợ tiền sử dụng đất|theo thông báo của cơ quan thuế].
Điều 3. Chánh Văn phòng, Thủ trưởng các cơ quan liên quan và {a.ong} {a} chịu trách nhiệm thi hành Quyết định này kể từ ngày ký./.`

const buildingRequestBody = `Kính gửi: {agency}
1. Chủ đầu tư: {a.ong} {a}, số định danh cá nhân {a.id}, địa chỉ {a.addr}, điện thoại {phone}.
2. Địa điểm xây dựng: thửa đất số {plot}, tờ bản đồ số {sheet}, diện tích {area} m², tại {site}; Giấy chứng nhận quyền sử dụng đất số {serial}.
3. Nội dung đề nghị cấp phép: xây dựng mới nhà ở riêng lẻ, cấp công trình [III|III|II]; diện tích xây dựng tầng 1 là {housearea} m²; tổng diện tích sàn {floorarea} m²; chiều cao công trình {height} m; số tầng {floors} [và 01 tum thang|và không có tầng hầm].
4. Đơn vị thiết kế: Công ty Cổ phần Tư vấn thiết kế {designer}; chủ nhiệm thiết kế: kỹ sư {o}.
5. Dự kiến thời gian hoàn thành công trình: [08|10|12|14] tháng.
6. Cam kết: tôi xin cam đoan làm theo đúng giấy phép được cấp, [bảo đảm an toàn cho các công trình liền kề|thực hiện biện pháp che chắn, bảo đảm vệ sinh môi trường trong khi thi công], nếu sai tôi xin hoàn toàn chịu trách nhiệm và bị xử lý theo quy định của pháp luật.`

const buildingProposalBody = `Kính trình: Lãnh đạo {agency}
Phòng chuyên môn đã thẩm định hồ sơ đề nghị cấp giấy phép xây dựng của {a.ong} {a}, mã hồ sơ {code}, và báo cáo như sau:
1. Về quy hoạch: lô đất tại {site} thuộc khu [dân cư hiện hữu chỉnh trang|ở mới theo đồ án quy hoạch phân khu|dân cư làng xóm]; mật độ xây dựng, tầng cao phù hợp quy chế quản lý kiến trúc đô thị.
2. Về chỉ giới: công trình lùi [0|1,5|2,4|3] m so với chỉ giới đường đỏ; độ vươn ban công [0,9|1,2|1,4] m, đúng quy định.
3. Về thiết kế: hồ sơ do đơn vị có năng lực lập; giải pháp móng, kết cấu và phòng cháy, chữa cháy [đạt yêu cầu|đạt yêu cầu sau khi chủ đầu tư bổ sung bản vẽ ngày {recvd}].
Kiến nghị: cấp giấy phép xây dựng cho {a.ong} {a} với quy mô {floors} tầng, tổng diện tích sàn {floorarea} m²./.`

const buildingResultBody = `Căn cứ {law.building} và các văn bản hướng dẫn thi hành;
1. Cấp cho: {a.ong} {a}, địa chỉ {a.addr}.
2. Được phép xây dựng công trình: nhà ở riêng lẻ, theo thiết kế do Công ty Cổ phần Tư vấn thiết kế {designer} lập. Vị trí xây dựng: thửa đất số {plot}, tờ bản đồ số {sheet}, {site}.
Diện tích xây dựng tầng 1: {housearea} m²; tổng diện tích sàn: {floorarea} m²; chiều cao công trình: {height} m; số tầng: {floors}. Cốt nền xây dựng: [+0,15|+0,30|+0,45] m so với vỉa hè.
3. Giấy tờ về đất đai: Giấy chứng nhận quyền sử dụng đất số {serial}.
4. Giấy phép này có hiệu lực khởi công trong thời hạn 12 tháng kể từ ngày cấp; quá thời hạn trên thì phải đề nghị gia hạn giấy phép xây dựng.
Chủ đầu tư phải thực hiện các nội dung sau: [thông báo ngày khởi công bằng văn bản trước 03 ngày làm việc|thực hiện đúng các quy định của pháp luật về đất đai, đầu tư xây dựng và giấy phép này]; xuất trình giấy phép cho cơ quan có thẩm quyền khi được yêu cầu./.`

const businessRequestBody = `# GIẤY ĐỀ NGHỊ ĐĂNG KÝ HỘ KINH DOANH
Kính gửi: {agency}
Tôi là {a}, giới tính {a.sex}, sinh ngày {a.birth}, dân tộc {a.ethnic}, số định danh cá nhân {a.id}, nơi thường trú {a.addr}, điện thoại {phone}.
Đăng ký thành lập hộ kinh doanh do tôi làm chủ hộ với các nội dung sau:
1. Tên hộ kinh doanh: {shop}.
2. Địa chỉ trụ sở: {site}.
3. Ngành, nghề kinh doanh: {trade}.
4. Vốn kinh doanh: {money} đồng. Số lượng lao động: [01|02|03|05] người.
5. Chủ thể thành lập: [cá nhân|các thành viên hộ gia đình, có văn bản ủy quyền kèm theo].
Tôi cam kết có quyền sử dụng hợp pháp địa điểm kinh doanh, không thuộc trường hợp pháp luật cấm kinh doanh, và chịu trách nhiệm về tính chính xác, trung thực của nội dung đăng ký.`

const businessResultBody = `Căn cứ {law.business};
Mã số hộ kinh doanh: {serialno}. Đăng ký lần đầu ngày {settledd}.
1. Tên hộ kinh doanh: {shop}
2. Địa chỉ trụ sở hộ kinh doanh: {site}. Điện thoại: {phone}
3. Ngành, nghề kinh doanh: {trade}
4. Vốn kinh doanh: {money} đồng
5. Chủ hộ kinh doanh: {a.ong} {a}, sinh ngày {a.birth}, số định danh cá nhân {a.id}, nơi thường trú {a.addr}
[Chủ hộ có trách nhiệm thực hiện nghĩa vụ thuế và các điều kiện kinh doanh trong quá trình hoạt động.|Hộ kinh doanh chỉ được hoạt động ngành, nghề có điều kiện khi đáp ứng đủ điều kiện theo quy định.]`

const alcoholRequestBody = `Kính gửi: {agency}
Tên thương nhân: {shop}, người đại diện {a.ong} {a}, số định danh cá nhân {a.id}.
Địa chỉ trụ sở: {site}. Điện thoại: {phone}.
Đề nghị quý cơ quan xem xét cấp Giấy phép bán lẻ rượu với các nội dung: được phép mua rượu của Công ty TNHH Thương mại {designer}; được phép tổ chức bán lẻ rượu tại địa điểm {site}.
Cơ sở có [địa điểm cố định, địa chỉ rõ ràng, diện tích 35 m²|kho bảo quản riêng, trang bị phòng cháy, chữa cháy|bản cam kết bảo đảm an toàn thực phẩm và bảo vệ môi trường].
Tôi xin cam đoan thực hiện đúng các quy định của {law.alcohol} và các quy định pháp luật liên quan, nếu sai xin hoàn toàn chịu trách nhiệm.`

const alcoholReportBody = `Thực hiện nhiệm vụ được giao, ngày {recvd} {clerktitle} {clerk} đã thẩm định hồ sơ và kiểm tra thực tế cơ sở {shop} tại {site}.
1. Hồ sơ pháp lý: [đầy đủ, hợp lệ|đầy đủ sau khi bổ sung hợp đồng nguyên tắc]; nguồn gốc rượu có hóa đơn, chứng từ, dán tem theo quy định.
2. Địa điểm: khoảng cách đến trường học gần nhất [210|350|500] m; [có biển cảnh báo không bán rượu cho người dưới 18 tuổi|khu trưng bày tách biệt với hàng hóa khác].
3. Kết luận: cơ sở đủ điều kiện bán lẻ rượu. Đề nghị lãnh đạo xem xét cấp giấy phép có thời hạn 05 năm./.`

const alcoholResultBody = `Căn cứ {law.alcohol};
Xét đơn đề nghị cấp Giấy phép bán lẻ rượu của {shop};
Điều 1. Cho phép {shop}, trụ sở tại {site}, do {a.ong} {a} làm đại diện: được phép mua rượu của Công ty TNHH Thương mại {designer} và bán lẻ tại địa điểm nêu trên.
Điều 2. {shop} phải thực hiện đúng quy định của pháp luật về kinh doanh rượu, [không bán rượu cho người dưới 18 tuổi|niêm yết bản sao hợp lệ Giấy phép tại địa điểm bán hàng], báo cáo tình hình kinh doanh trước ngày 20 tháng 01 hằng năm.
Điều 3. Giấy phép này có giá trị 05 năm kể từ ngày ký./.`

const complaintRequestBody = `Kính gửi: {agency}
Họ và tên người khiếu nại: {a}, số định danh cá nhân {a.id}, địa chỉ {a.addr}.
Người bị khiếu nại: {against}.
Khiếu nại về việc: {matter}.
Nội dung khiếu nại: gia đình tôi sử dụng ổn định thửa đất số {plot}, tờ bản đồ số {sheet}, diện tích {area} m² tại {site} từ năm {builtyear}. Ngày [12|17|24] tháng [3|5|9] vừa qua, tôi nhận được văn bản số {oldnumber} nhưng [mức bồi thường thấp hơn nhiều so với giá thị trường|diện tích công nhận thiếu so với thực tế sử dụng|việc áp dụng quy định không đúng với nguồn gốc đất của gia đình].
Tôi đã gửi đơn đề nghị xem xét lại nhưng [chưa được trả lời thỏa đáng|quá thời hạn mà không được giải quyết]. Việc này xâm phạm trực tiếp quyền và lợi ích hợp pháp của gia đình tôi.
Yêu cầu giải quyết: [hủy bỏ một phần văn bản nêu trên và xác định lại mức bồi thường, hỗ trợ, tái định cư|công nhận đủ diện tích đất ở theo hiện trạng|kiểm tra, đo đạc lại thửa đất và trả lời bằng văn bản].
Tôi cam đoan những nội dung trình bày trên là đúng sự thật. Kính đề nghị xem xét, giải quyết.`

const complaintNoticeBody = `Ngày {recvd}, {agency} nhận được đơn khiếu nại của {a.ong} {a}, địa chỉ {a.addr}, khiếu nại {matter}.
Sau khi xem xét nội dung đơn, căn cứ {law.complaint}, đơn khiếu nại đủ điều kiện thụ lý và thuộc thẩm quyền giải quyết của {agency}. Khiếu nại được thụ lý giải quyết kể từ {recv}; thời hạn giải quyết không quá 30 ngày, vụ việc phức tạp không quá 45 ngày.
Giao Thanh tra chủ trì xác minh. Vậy thông báo để {a.ong} {a} [và người bị khiếu nại|cùng các cơ quan liên quan] được biết./.`

const complaintMinutesBody = `# BIÊN BẢN ĐỐI THOẠI
Hôm nay, tại trụ sở tiếp công dân {province}, tổ chức đối thoại giữa người giải quyết khiếu nại với {a.ong} {a} (người khiếu nại) và {against} (người bị khiếu nại). Người ghi biên bản: {clerk}, {clerktitle}.
{a.Ong} {a} trình bày: giữ nguyên nội dung khiếu nại {matter}; [đề nghị đo đạc lại với sự chứng kiến của các hộ liền kề|cung cấp thêm biên lai thuế đất các năm trước|đề nghị được bố trí tái định cư tại chỗ].
Đại diện người bị khiếu nại trình bày: việc ban hành văn bản số {oldnumber} thực hiện đúng trình tự; [tuy nhiên hồ sơ nguồn gốc đất chưa được rà soát đầy đủ|diện tích chênh lệch do đo đạc thủ công|sẽ phối hợp kiểm tra lại].
Kết luận buổi đối thoại: hai bên [thống nhất đo đạc lại hiện trạng trong 10 ngày|chưa thống nhất, đề nghị giải quyết theo quy định của pháp luật]. Biên bản được đọc lại cho mọi người nghe và ký xác nhận.`

const complaintReportBody = `Thực hiện quyết định về việc xác minh nội dung khiếu nại, Tổ xác minh báo cáo kết quả như sau:
# I. NỘI DUNG KHIẾU NẠI
{a.Ong} {a} khiếu nại {matter} đối với thửa đất số {plot}, tờ bản đồ số {sheet}, tại {site}.
# II. KẾT QUẢ XÁC MINH
Theo hồ sơ địa chính lập các thời kỳ, thửa đất có nguồn gốc {landorigin}, do gia đình {a.ong} {a} sử dụng từ năm {builtyear}. Làm việc với {o.ong} {o}, nguyên trưởng thôn, xác nhận [việc sử dụng đất ổn định, không có tranh chấp|ranh giới có thay đổi khi mở rộng đường dân sinh|gia đình đã nộp thuế đất đầy đủ].
Tổ xác minh đã kiểm tra thực địa, đo đạc lại: diện tích thực tế {area} m², [chênh lệch 12,4 m² so với số liệu kiểm kê|phù hợp với số liệu người khiếu nại cung cấp].
# III. NHẬN XÉT VÀ KIẾN NGHỊ
[Nội dung khiếu nại là đúng một phần.|Nội dung khiếu nại là có cơ sở.|Nội dung khiếu nại là không có cơ sở.] Kiến nghị Chủ tịch Ủy ban nhân dân ban hành quyết định giải quyết khiếu nại theo quy định./.`

const complaintResultBody = `CHỦ TỊCH ỦY BAN NHÂN DÂN
Căn cứ {law.local};
Căn cứ {law.complaint};
Xét đơn khiếu nại của {a.ong} {a}, địa chỉ {a.addr}, và báo cáo kết quả xác minh;
# QUYẾT ĐỊNH:
Điều 1. [Công nhận một phần|Công nhận] nội dung khiếu nại của {a.ong} {a} về {matter}.
Điều 2. [Giữ nguyên văn bản số {oldnumber}.|Yêu cầu {against} xác định lại diện tích, điều chỉnh phương án bồi thường, hỗ trợ trong thời hạn 30 ngày.|Hủy một phần văn bản số {oldnumber} đối với phần diện tích {area} m² của thửa đất số {plot}.]
Điều 3. Trong thời hạn 30 ngày kể từ ngày nhận được Quyết định này, nếu không đồng ý, {a.ong} {a} có quyền khiếu nại lần hai hoặc khởi kiện vụ án hành chính tại Tòa án.
Điều 4. Chánh Văn phòng, Chánh Thanh tra và {a.ong} {a} chịu trách nhiệm thi hành Quyết định này./.`

const petitionRequestBody = `Kính gửi: {agency}
Tôi tên là {a}, sinh năm {a.year}, hiện cư trú tại {a.addr}.
Tôi làm đơn này phản ánh, kiến nghị về {nuisance} tại khu vực {site}.
Tình trạng trên kéo dài từ [đầu năm đến nay|nhiều tháng nay|sau đợt mưa bão vừa qua], ảnh hưởng đến [sinh hoạt và sức khỏe của các hộ dân|việc đi lại của học sinh và người cao tuổi|vệ sinh môi trường, mỹ quan khu dân cư]. Chúng tôi đã phản ánh với tổ dân phố nhưng chưa được khắc phục.
Kính đề nghị quý cơ quan kiểm tra, xử lý và thông báo kết quả cho nhân dân được biết.
Tôi xin trân trọng cảm ơn.`

const petitionSlipBody = `# PHIẾU ĐỀ XUẤT XỬ LÝ ĐƠN
Kính gửi: Lãnh đạo {agency}
Ngày {recvd}, bộ phận tiếp công dân nhận được đơn của {a.ong} {a}, địa chỉ {a.addr}. Nội dung đơn: kiến nghị, phản ánh về {nuisance}.
Đơn thuộc thẩm quyền giải quyết của cơ quan. Đề xuất: [giao bộ phận địa chính - xây dựng kiểm tra hiện trường|giao Công an phối hợp nhắc nhở, lập biên bản|mời các hộ liên quan làm việc], báo cáo kết quả trước {due}.
Người đề xuất: {clerk}. Phê duyệt của lãnh đạo: [Đồng ý|Nhất trí đề xuất, thực hiện đúng thời hạn].`

const petitionResultBody = `Kính gửi: {a.ong} {a}, địa chỉ {a.addr}
Ngày {recvd}, {agency} nhận được đơn của {a.ong} {a} kiến nghị, phản ánh về {nuisance}. Sau khi kiểm tra thực tế, {agency} trả lời như sau:
Nội dung phản ánh là [đúng|đúng một phần|có cơ sở]. Cơ quan chức năng đã [yêu cầu chủ cơ sở chấm dứt vi phạm và khắc phục trong 10 ngày|bố trí kinh phí sửa chữa, hoàn thành trong quý tới|lập biên bản, xử phạt vi phạm hành chính theo thẩm quyền].
{agency} cảm ơn ý kiến của công dân và đề nghị tiếp tục phản ánh nếu tình trạng tái diễn./.`

const signaturePaperBody = `Tôi là {a}, sinh ngày {a.birth}, số định danh cá nhân {a.id}, nơi thường trú {a.addr}.
[Bằng văn bản này, tôi ủy quyền cho {o.ong} {o}, số định danh cá nhân {o.id}, thay mặt tôi nộp hồ sơ và nhận kết quả giải quyết thủ tục hành chính; việc ủy quyền không có thù lao và không liên quan đến chuyển quyền sở hữu tài sản.|Trình độ văn hóa 12/12; trình độ chuyên môn: cử nhân. Hoàn cảnh gia đình: vợ (chồng) là {s}, sinh năm {s.year}. Quá trình công tác: từ năm 2010 đến nay làm việc tại địa phương, chấp hành tốt chủ trương của Đảng, pháp luật của Nhà nước.|Tôi làm giấy này để xác nhận việc tự nguyện cam kết chăm sóc, nuôi dưỡng {e.ong} {e} và không yêu cầu bất cứ khoản hỗ trợ nào.]
Văn bản này lập thành 02 bản có giá trị như nhau, dùng cho {paper}.
Tôi đã đọc lại, hiểu rõ nội dung và ký tên dưới đây.`

const signatureResultBody = `Ngày {settledd}, tại {agency};
Tôi là {leader}, {leadertitle}, căn cứ {law.certification};
# CHỨNG THỰC
{a.Ong} {a}, số định danh cá nhân {a.id}, cam đoan đã hiểu, tự nguyện và chịu trách nhiệm trước pháp luật về nội dung của {paper} và đã ký vào giấy tờ, văn bản này trước mặt [ông {clerk} là người tiếp nhận hồ sơ|tôi].
Số chứng thực: {registry}, quyển số 01/{year}-SCT/CK,ĐC. Lệ phí: {fee}.`

const contractRequestBody = `Kính gửi: {agency}
Họ tên người yêu cầu: {a}
Số định danh cá nhân: {a.id}
Nơi cư trú: {a.addr}
Yêu cầu: Chứng thực hợp đồng {deal}
Bên A: {a}
Bên B: {o}
Tài sản: {goods}
Giá trị giao dịch: {money} đồng
Giấy tờ nộp kèm: [dự thảo hợp đồng; bản chụp căn cước; giấy chứng nhận quyền sở hữu|dự thảo hợp đồng; giấy tờ chứng minh quyền sử dụng đất; giấy xác nhận tình trạng hôn nhân]`

const contractBody = `# HỢP ĐỒNG {DEAL}
Hôm nay, {recv}, tại {place}, chúng tôi gồm:
Bên A: {a.ong} {a}, sinh ngày {a.birth}, số định danh cá nhân {a.id}, nơi thường trú {a.addr}.
Bên B: {o.ong} {o}, sinh ngày {o.birth}, số định danh cá nhân {o.id}, nơi thường trú {o.addr}.
Điều 1. Đối tượng của hợp đồng: {goods}.
Điều 2. Giá trị: {money} đồng. Phương thức: [thanh toán một lần bằng chuyển khoản|thanh toán hai đợt, đợt cuối khi bàn giao|không thu tiền].
Điều 3. Quyền và nghĩa vụ: Bên A giao tài sản cùng giấy tờ liên quan trong [05|07|10] ngày; Bên B thực hiện đăng ký tại cơ quan có thẩm quyền và [chịu lệ phí trước bạ|nộp các khoản thuế, phí theo quy định].
Điều 4. Tranh chấp phát sinh được giải quyết trước hết bằng thương lượng; không thương lượng được thì yêu cầu Tòa án giải quyết.
Hai bên đã đọc, hiểu rõ quyền, nghĩa vụ, lợi ích hợp pháp của mình và hậu quả pháp lý của việc giao kết hợp đồng này.`

const contractResultBody = `# LỜI CHỨNG CỦA NGƯỜI CÓ THẨM QUYỀN CHỨNG THỰC
Ngày {settledd}, tại {agency}, tôi là {leader}, {leadertitle}, căn cứ {law.certification};
Chứng thực hợp đồng {deal} được giao kết giữa: Bên A là {a.ong} {a}, số định danh cá nhân {a.id}; Bên B là {o.ong} {o}, số định danh cá nhân {o.id}.
Các bên cam đoan đã hiểu rõ, tự nguyện thỏa thuận giao kết hợp đồng và chịu trách nhiệm trước pháp luật về nội dung hợp đồng; tài sản giao dịch: {goods}; giá trị {money} đồng.
Tại thời điểm chứng thực, các bên [minh mẫn, nhận thức và làm chủ được hành vi của mình|có đầy đủ năng lực hành vi dân sự] và đã cùng ký vào hợp đồng này trước mặt tôi.
Hợp đồng này được lập thành [03|04] bản chính, mỗi bên giữ 01 bản, lưu tại {agency} 01 bản. Số chứng thực {registry}, quyển số 01/{year}-SCT/HĐ,GD.`

const criminalRequestBody = `Kính gửi: {agency}
Tên tôi là: {a}
Giới tính: {a.sex}
Ngày sinh: {a.birth}
Số định danh cá nhân: {a.id}
Nơi thường trú: {a.addr}
Họ và tên cha: {f2}
Họ và tên vợ (chồng): {s}
Quá trình cư trú: [từ năm 14 tuổi đến nay tại địa phương|từ năm 14 tuổi đến năm 2012 tại quê, sau đó tại nơi thường trú]
Phần khai về án tích: [Không có|Không có án tích]
Loại phiếu: Phiếu lý lịch tư pháp số {recordform}
Mục đích yêu cầu: {recordpurpose}`

const criminalCheckBody = `Kính gửi: Phòng nghiệp vụ tra cứu tàng thư căn cước can phạm
{agency} chuyển phiếu xác minh đối với {a.ong} {a}, sinh ngày {a.birth}, số định danh cá nhân {a.id}, nơi thường trú {a.addr}.
Nội dung đề nghị xác minh: tình trạng án tích của đương sự trên phạm vi cả nước; việc cấm đảm nhiệm chức vụ, thành lập, quản lý doanh nghiệp, hợp tác xã (nếu có).
Kết quả tra cứu: [Tính đến ngày trả lời, không có thông tin về án tích của người nêu trên.|Hồ sơ không có tiền án; đề nghị cấp phiếu theo thẩm quyền.|Có thông tin trùng họ tên, đã loại trừ sau khi đối chiếu vân tay.]
Kết quả được trả lời trong thời hạn luật định theo {law.criminal}./.`

const criminalResultBody = `Căn cứ {law.criminal};
# XÁC NHẬN
1. Họ và tên: {a}. Giới tính: {a.sex}. Ngày, tháng, năm sinh: {a.birth}. Nơi thường trú: {a.addr}. Số định danh cá nhân: {a.id}.
2. Tình trạng án tích: [Không có án tích|Không có án tích|Đã được xóa án tích].
3. Thông tin về cấm đảm nhiệm chức vụ, thành lập, quản lý doanh nghiệp, hợp tác xã: không yêu cầu.
Phiếu lý lịch tư pháp số {recordform} được cấp theo yêu cầu của {a.ong} {a} để {recordpurpose}./.`

const socialRequestBody = `Kính gửi: {agency}
1. Họ và tên đối tượng: {e}, sinh ngày {e.birth}, giới tính {e.sex}, dân tộc {e.ethnic}, số định danh cá nhân {e.id}.
2. Hộ khẩu thường trú: {e.addr}.
3. Hoàn cảnh: [người cao tuổi thuộc hộ nghèo, không có người có nghĩa vụ và quyền phụng dưỡng|người khuyết tật nặng, không tự phục vụ được nhu cầu sinh hoạt cá nhân hằng ngày|người cao tuổi không có lương hưu, trợ cấp bảo hiểm xã hội hàng tháng].
4. Người chăm sóc, khai thay: {a.ong} {a}, số định danh cá nhân {a.id}, là {elderkin}.
5. Đề nghị: hưởng trợ cấp xã hội hàng tháng và thẻ bảo hiểm y tế kể từ tháng được phê duyệt.
Tôi xin cam đoan những lời khai trên là đúng, nếu có điều gì khai không đúng tôi xin chịu trách nhiệm hoàn toàn.`

const socialMinutesBody = `# BIÊN BẢN HỌP HỘI ĐỒNG XÉT DUYỆT TRỢ GIÚP XÃ HỘI
Hôm nay, Hội đồng xét duyệt của {commune} họp xét hồ sơ đề nghị trợ giúp xã hội của {e.ong} {e}, sinh ngày {e.birth}, địa chỉ {e.addr}. Chủ trì: {leader}; thư ký: {clerk}.
Công chức phụ trách báo cáo hoàn cảnh và kết quả niêm yết công khai 02 ngày làm việc tại trụ sở: [không có ý kiến thắc mắc|có 01 ý kiến, đã được giải thích].
Kết luận: Hội đồng nhất trí [7/7|6/7|5/5] thành viên đề nghị cho {e.ong} {e} hưởng trợ cấp xã hội hàng tháng với hệ số [1,0|1,5|2,0|2,5]. Biên bản kết thúc vào [10|11|16] giờ cùng ngày./.`

const socialResultBody = `CHỦ TỊCH ỦY BAN NHÂN DÂN
Căn cứ {law.local};
Căn cứ {law.social};
Xét hồ sơ và biên bản của Hội đồng xét duyệt trợ giúp xã hội,
# QUYẾT ĐỊNH:
Điều 1. Trợ cấp xã hội hàng tháng cho {e.ong} {e}, sinh ngày {e.birth}, số định danh cá nhân {e.id}, hiện cư trú tại {e.addr}, với hệ số [1,0|1,5|2,0|2,5], thời gian hưởng kể từ tháng {month} năm {year}.
Điều 2. Kinh phí [do ngân sách địa phương bảo đảm|chi từ nguồn bảo đảm xã hội] và chi trả qua [tổ chức dịch vụ bưu điện|tài khoản của đối tượng].
Điều 3. Văn phòng, bộ phận Lao động - Thương binh và Xã hội và {e.ong} {e} chịu trách nhiệm thi hành Quyết định này./.`

const meritRequestBody = `Kính gửi: {agency}
Tôi là {a}, sinh ngày {a.birth}, số định danh cá nhân {a.id}, nơi thường trú {a.addr}.
Là [con|cháu ruột|em ruột] của liệt sĩ {martyr}, hy sinh ngày [12|18|27] tháng [02|4|7|12] năm [1967|1968|1971|1972|1978], Bằng Tổ quốc ghi công số {oldnumber}.
Liệt sĩ không còn cha, mẹ đẻ; các thân nhân đã họp và thống nhất ủy quyền cho tôi đảm nhiệm việc thờ cúng liệt sĩ (biên bản ủy quyền kèm theo, có {o.ong} {o} và {e.ong} {e} ký tên).
Đề nghị cơ quan giải quyết trợ cấp thờ cúng liệt sĩ mỗi năm một lần theo {law.merit}. Tôi xin cam đoan lời khai trên là đúng.`

const meritResultBody = `CHỦ TỊCH ỦY BAN NHÂN DÂN
Căn cứ {law.local};
Căn cứ {law.merit};
Xét đề nghị của bộ phận chuyên môn và hồ sơ đề nghị của {a.ong} {a},
# QUYẾT ĐỊNH:
Điều 1. Trợ cấp thờ cúng liệt sĩ {martyr} đối với {a.ong} {a}, sinh ngày {a.birth}, số định danh cá nhân {a.id}, nơi thường trú {a.addr}. Mức trợ cấp theo quy định hiện hành, mỗi năm một lần, kể từ năm {year}.
Điều 2. [Hồ sơ được lưu giữ vĩnh viễn theo quy định về hồ sơ người có công.|Bộ phận kế toán và bộ phận người có công tổ chức chi trả, quản lý hồ sơ theo quy định.]
Điều 3. Quyết định này có hiệu lực kể từ ngày ký. {a.Ong} {a} và các bộ phận liên quan chịu trách nhiệm thi hành./.`

const (
	opinionTexts = "Hồ sơ đầy đủ, hợp lệ, chuyển bộ phận chuyên môn thụ lý.|Đã kiểm tra thành phần hồ sơ, đề nghị giải quyết theo quy định.|Thông tin đã đối chiếu với Cơ sở dữ liệu quốc gia về dân cư, trùng khớp.|Hồ sơ đủ điều kiện, kính trình lãnh đạo xem xét, ký duyệt.|Người nộp đã bổ sung giấy tờ theo yêu cầu, tiếp tục thụ lý.|Đã thẩm định, dự thảo kết quả kèm theo."
	leaderTexts  = "Đồng ý.|Nhất trí đề xuất của bộ phận chuyên môn.|Đã ký duyệt, chuyển trả kết quả.|Đồng ý, thực hiện đúng thời hạn."
	noteTexts    = "Hồ sơ giấy gốc lưu tại kho của cơ quan.|Kết quả trả qua dịch vụ bưu chính công ích.|Hồ sơ được số hóa từ bản giấy.|Đã thu phí, lệ phí theo quy định."
	hospitalsOf  = "Bệnh viện Phụ sản {p}|Bệnh viện Đa khoa {p}|Bệnh viện Sản - Nhi {p}|Trung tâm Y tế khu vực {p}"
	clinicsOf    = "Trạm Y tế {p}|Phòng khám đa khoa {p}|Trung tâm Y tế {p}"
	causes       = "bệnh già|nhồi máu cơ tim|tai biến mạch máu não|ung thư phổi|suy thận mạn giai đoạn cuối|viêm phổi nặng"
	landUses     = "đất ở tại đô thị|đất ở tại nông thôn|đất ở và đất trồng cây lâu năm|đất nuôi trồng thủy sản"
	landOrigins  = "nhận chuyển nhượng trước ngày 15 tháng 10 năm 1993|được Nhà nước giao đất có thu tiền sử dụng đất|được thừa kế của cha mẹ|tự khai hoang, sử dụng ổn định|nhận tặng cho quyền sử dụng đất"
	shopNames    = "Tạp hóa|Quán ăn|Cửa hàng vật liệu xây dựng|Tiệm may|Cửa hàng điện máy|Nhà thuốc|Cơ sở mộc dân dụng|Quán cà phê|Cửa hàng thực phẩm"
	trades       = "bán lẻ lương thực, thực phẩm, đồ uống trong cửa hàng|dịch vụ ăn uống phục vụ lưu động|bán lẻ vật liệu, thiết bị lắp đặt trong xây dựng|may trang phục; sửa chữa hàng may mặc|bán lẻ thiết bị điện gia dụng|sản xuất giường, tủ, bàn, ghế bằng gỗ"
	designers    = "Thăng Long|Bình Minh|Đại Phát|An Cư|Hưng Thịnh|Sông Đà|Phương Nam|Tây Bắc"
	matters      = "việc thu hồi đất để mở rộng đường giao thông|mức bồi thường, hỗ trợ khi Nhà nước thu hồi đất|việc từ chối cấp Giấy chứng nhận quyền sử dụng đất|việc xử phạt vi phạm hành chính trong lĩnh vực xây dựng|việc xác định nguồn gốc đất và diện tích đất ở"
	nuisances    = "tiếng ồn và mùi hôi từ cơ sở chăn nuôi|tình trạng ngập úng, cống thoát nước bị tắc|việc lấn chiếm vỉa hè làm nơi buôn bán|đường dây điện chùng võng gây mất an toàn|việc đổ trộm phế thải xây dựng|hệ thống đèn chiếu sáng công cộng hư hỏng"
	papersOf     = "giấy ủy quyền|sơ yếu lý lịch tự thuật|giấy cam kết|đơn đề nghị rút bảo hiểm xã hội một lần"
	deals        = "tặng cho quyền sử dụng đất|chuyển nhượng quyền sử dụng đất|mua bán xe ô tô|mua bán xe mô tô|thuê nhà ở|ủy quyền quản lý tài sản"
	recordUses   = "bổ sung hồ sơ xin việc|làm thủ tục xuất khẩu lao động|bổ nhiệm chức danh quản lý|xin thị thực du học|đăng ký hành nghề"
	maritalUses  = "làm thủ tục đăng ký kết hôn|bổ sung hồ sơ vay vốn ngân hàng|làm thủ tục chuyển nhượng quyền sử dụng đất|mua nhà ở xã hội"
)
